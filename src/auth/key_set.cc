#include "auth/key_set.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <iterator>
#include <optional>

#include "auth/strict_json.h"
#include "base/text.h"

namespace parley::auth {

namespace {

namespace json = boost::json;

using CertificateHandle = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, OpenSslFree<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, OpenSslFree<OSSL_PARAM_free>>;

std::unexpected<Error> bad_key(std::string detail) {
  return fail(ErrorKind::kInvalid, "bad_key", std::move(detail));
}

std::string with_line_breaks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == 'n') {
      out += '\n';
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct PemBlock {
  std::string label;
  std::vector<unsigned char> der;
};

std::optional<PemBlock> next_block(BIO* in) {
  char *label = nullptr, *header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(in, &label, &header, &data, &size) != 1) return std::nullopt;
  PemBlock block{label, std::vector<unsigned char>(data, data + size)};
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return block;
}

Result<PkeyHandle> public_key_of(const PemBlock& block) {
  const unsigned char* at = block.der.data();
  const unsigned char* const end = at + block.der.size();
  PkeyHandle key;
  if (block.label == "PUBLIC KEY") {
    key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(block.der.size())));
  } else if (block.label == "RSA PUBLIC KEY") {
    key.reset(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &at, static_cast<long>(block.der.size())));
  } else if (block.label == "CERTIFICATE") {
    const CertificateHandle certificate(d2i_X509(nullptr, &at, static_cast<long>(block.der.size())));
    if (certificate) key.reset(X509_get_pubkey(certificate.get()));
  } else if (block.label.ends_with("PRIVATE KEY")) {
    return bad_key("This is a private key: only the public key belongs here. Treat the private key as leaked.");
  } else {
    return bad_key("A PEM block is neither PUBLIC KEY, RSA PUBLIC KEY nor CERTIFICATE.");
  }
  if (!key || at != end) return bad_key("A PEM block holds no readable public key.");
  return key;
}

// ---- JWK ----

std::optional<std::string_view> text_member(const json::object& jwk, std::string_view name) {
  const json::value* value = jwk.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const json::string& text = value->get_string();
  return std::string_view(text.data(), text.size());
}

// A member as bytes; nullopt unless it is canonical base64url of `size` bytes (0: of any number but none).
std::optional<std::string> bytes_member(const json::object& jwk, std::string_view name, std::size_t size) {
  const auto text = text_member(jwk, name);
  if (!text) return std::nullopt;
  auto bytes = base64url_decode(*text);
  if (!bytes || bytes->empty() || (size != 0 && bytes->size() != size)) return std::nullopt;
  return bytes;
}

PkeyHandle key_from_parameters(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const PkeyContextHandle context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return PkeyHandle(key);
}

PkeyHandle rsa_key(const json::object& jwk) {
  const auto n = bytes_member(jwk, "n", 0), e = bytes_member(jwk, "e", 0);
  if (!n || !e || n->size() > 4096 || e->size() > 8) return nullptr;
  const BignumHandle modulus(BN_bin2bn(as_bytes(n->data()), static_cast<int>(n->size()), nullptr));
  const BignumHandle exponent(BN_bin2bn(as_bytes(e->data()), static_cast<int>(e->size()), nullptr));
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!modulus || !exponent || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return key_from_parameters("RSA", builder.get());
}

PkeyHandle ec_key(const json::object& jwk) {
  const auto curve = text_member(jwk, "crv");
  if (!curve) return nullptr;
  const std::size_t size = *curve == "P-256" ? 32 : *curve == "P-384" ? 48 : *curve == "P-521" ? 66 : 0;
  if (size == 0) return nullptr;
  const auto x = bytes_member(jwk, "x", size), y = bytes_member(jwk, "y", size);
  if (!x || !y) return nullptr;
  const std::string group(*curve), point = '\x04' + *x + *y;
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.c_str(), group.size()) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
    return nullptr;
  }
  return key_from_parameters("EC", builder.get());
}

PkeyHandle ed25519_key(const json::object& jwk) {
  const auto x = bytes_member(jwk, "x", 32);
  if (text_member(jwk, "crv") != "Ed25519" || !x) return nullptr;
  return PkeyHandle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, as_bytes(x->data()), x->size()));
}

bool is_meant_for_signatures(const json::object& jwk) {
  if (const json::value* use = jwk.if_contains("use"); use != nullptr && *use != "sig") return false;
  if (const json::value* operations = jwk.if_contains("key_ops")) {
    if (!operations->is_array()) return false;
    bool verifies = false;
    for (const auto& operation : operations->get_array()) verifies |= operation == "verify";
    if (!verifies) return false;
  }
  return true;
}

// nullopt: the key is none of ours. An error: it should be, and is faulty.
Result<std::optional<VerificationKey>> key_from_jwk(const json::object& jwk) {
  const auto type = text_member(jwk, "kty");
  if ((type != "RSA" && type != "EC" && type != "OKP") || !is_meant_for_signatures(jwk)) return std::nullopt;
  std::optional<Algorithm> only;
  if (jwk.contains("alg")) {
    only = parse_algorithm(text_member(jwk, "alg").value_or(""));
    if (!only) return std::nullopt;
  }
  if (jwk.contains("d")) return bad_key("A key of the set is private.");
  if (jwk.contains("kid") && !text_member(jwk, "kid")) return bad_key("A kid is not a string.");
  const auto curve = text_member(jwk, "crv");
  if (type == "OKP" && curve && curve != "Ed25519") return std::nullopt;

  PkeyHandle handle = type == "RSA" ? rsa_key(jwk) : type == "EC" ? ec_key(jwk) : ed25519_key(jwk);
  auto key = VerificationKey::make(std::move(handle), std::string(text_member(jwk, "kid").value_or("")), only);
  if (!key) return fail(std::move(key.error()));
  return std::optional(std::move(*key));
}

}  // namespace

Result<KeySet> KeySet::from_pem(std::string_view text, const std::string& kid) {
  const ErrorQueueGuard guard;
  if (text.size() > kMaxTextBytes) return bad_key("The PEM text is over 256 KiB.");
  const std::string pem = with_line_breaks(text);
  const BioHandle in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<KeyPointer> keys;
  while (const std::optional<PemBlock> block = next_block(in.get())) {
    auto handle = public_key_of(*block);
    if (!handle) return fail(std::move(handle.error()));
    auto key = VerificationKey::make(std::move(*handle), kid);
    if (!key) return fail(std::move(key.error()));
    if (keys.size() == kMaxKeys) return bad_key("There are more than 64 keys.");
    keys.push_back(std::make_shared<const VerificationKey>(std::move(*key)));
  }
  // The end of the text is the only good reason to find no further block.
  if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) return bad_key("A PEM block is broken.");
  if (keys.empty()) return bad_key("There is no PEM block in it.");
  if (!kid.empty() && keys.size() > 1) return bad_key("One kid was given for several keys.");
  return KeySet(std::move(keys));
}

Result<KeySet> KeySet::from_jwks(std::string_view text) {
  const ErrorQueueGuard guard;
  if (text.size() > kMaxTextBytes) return bad_key("The JWKS is over 256 KiB.");
  const auto document = parse_strict_object(text);
  if (!document) return bad_key("The JWKS is not a JSON object, or names a member twice.");
  const json::value* list = document->if_contains("keys");
  if (list == nullptr || !list->is_array()) return bad_key("The JWKS has no array `keys`.");
  if (list->get_array().size() > kMaxKeys) return bad_key("The JWKS has more than 64 keys.");

  KeySet set;
  for (const auto& item : list->get_array()) {
    if (!item.is_object()) return bad_key("An item of `keys` is not an object.");
    auto key = key_from_jwk(item.get_object());
    if (!key) {
      set.skipped_.push_back(std::move(key.error().detail));
    } else if (*key) {
      set.keys_.push_back(std::make_shared<const VerificationKey>(std::move(**key)));
    }
  }
  if (set.keys_.empty()) {
    return bad_key("No key of the JWKS is usable." + (set.skipped_.empty() ? "" : " " + set.skipped_.front()));
  }
  return set;
}

Result<KeySet> KeySet::parse(std::string_view text) {
  return text.contains("-----BEGIN ") ? from_pem(text) : from_jwks(text);
}

KeySet KeySet::merge(KeySet a, KeySet b) {
  std::move(b.keys_.begin(), b.keys_.end(), std::back_inserter(a.keys_));
  std::move(b.skipped_.begin(), b.skipped_.end(), std::back_inserter(a.skipped_));
  return a;
}

void KeyRing::replace(KeySet keys) {
  auto next = std::make_shared<const KeySet>(std::move(keys));
  const std::lock_guard lock(mutex_);
  keys_.swap(next);
  generation_.fetch_add(1, std::memory_order_release);
}

KeyRing::Snapshot KeyRing::snapshot() const {
  const std::lock_guard lock(mutex_);
  return {keys_, generation_.load(std::memory_order_relaxed)};
}

}  // namespace parley::auth
