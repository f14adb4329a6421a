#include "auth/jwt.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "auth/strict_json.h"
#include "base/ids.h"
#include "base/text.h"

namespace parley::auth {

namespace {

namespace json = boost::json;

constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxKidBytes = 256;
// Times are held within ±(9999-12-31): beyond it milliseconds could overflow.
constexpr double kMaxSeconds = 253'402'300'799.0;

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

// One claim as text: nullopt when absent.
Result<std::optional<std::string_view>> text_claim(const json::object& claims, json::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) return unauthorized("The token's claim " + std::string(name) + " is not a string.");
  return view(value->get_string());
}

// A NumericDate, which may be fractional, huge or negative; held within the years that we can count.
Result<std::optional<WallTime>> time_claim(const json::object& claims, json::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr) return std::nullopt;
  double seconds;
  if (value->is_int64()) {
    seconds = static_cast<double>(value->get_int64());
  } else if (value->is_uint64()) {
    seconds = static_cast<double>(value->get_uint64());
  } else if (value->is_double() && !std::isnan(value->get_double())) {
    seconds = value->get_double();
  } else {
    return unauthorized("The token's claim " + std::string(name) + " is not a number.");
  }
  const double ms = std::floor(std::clamp(seconds, -kMaxSeconds, kMaxSeconds) * 1000.0);
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

Result<std::string> id_claim(const json::object& claims, json::string_view name) {
  auto text = text_claim(claims, name);
  if (!text) return fail(std::move(text.error()));
  if (!*text) return unauthorized("The token has no " + std::string(name) + ".");
  if (!is_valid_id(**text)) {
    return unauthorized("The token's " + std::string(name) + " is not an id: " + std::string(kIdRule));
  }
  return std::string(**text);
}

Result<> check_times(const json::object& claims, const JwtRules& rules, WallTime now, WallTime& valid_until) {
  auto expires = time_claim(claims, "exp"), not_before = time_claim(claims, "nbf"), issued = time_claim(claims, "iat");
  for (const auto* time : {&expires, &not_before, &issued}) {
    if (!*time) return fail(time->error());
  }
  if (!*expires) return unauthorized("The token has no exp.");
  valid_until = **expires + rules.leeway;
  if (now >= valid_until) return fail(ErrorKind::kUnauthenticated, "token_expired", "The token has expired.");
  if (*not_before && now + rules.leeway < **not_before) return unauthorized("The token is not valid yet.");
  if (*issued && now + rules.leeway < **issued) return unauthorized("The token was issued in the future.");
  return {};
}

bool contains(const std::vector<std::string>& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

Result<> check_issuer(const json::object& claims, const JwtRules& rules) {
  auto issuer = text_claim(claims, "iss");
  if (!issuer) return fail(std::move(issuer.error()));
  if (!rules.issuers.empty() && (!*issuer || !contains(rules.issuers, **issuer))) {
    return unauthorized("The token is from another issuer.");
  }
  return {};
}

Result<> check_audience(const json::object& claims, const JwtRules& rules) {
  const json::value* audience = claims.if_contains("aud");
  bool matches = false;
  if (audience != nullptr && audience->is_string()) {
    matches = contains(rules.audiences, view(audience->get_string()));
  } else if (audience != nullptr && audience->is_array()) {
    for (const auto& item : audience->get_array()) {
      if (!item.is_string()) return unauthorized("The token's aud holds something other than strings.");
      matches |= contains(rules.audiences, view(item.get_string()));
    }
  } else if (audience != nullptr) {
    return unauthorized("The token's aud is neither a string nor an array.");
  }
  if (!rules.audiences.empty() && !matches) return unauthorized("The token is for another audience.");
  return {};
}

Result<TenantRoles> roles_of(const json::object& claims) {
  TenantRoles roles;
  const json::value* list = claims.if_contains("roles");
  if (list == nullptr) return roles;
  if (!list->is_array()) return unauthorized("The token's roles are not an array.");
  for (const auto& item : list->get_array()) {
    if (!item.is_string()) return unauthorized("The token's roles hold something other than strings.");
    roles.admin |= item.get_string() == "admin";
    roles.service |= item.get_string() == "service";
  }
  return roles;
}

// A name that cannot be shown is no reason to lock its bearer out: it counts as absent.
std::string name_of(const json::object& claims) {
  const json::value* name = claims.if_contains("name");
  if (name == nullptr || !name->is_string()) return {};
  const std::string_view text = view(name->get_string());
  if (text.size() > kMaxNameBytes || !is_valid_utf8(text) || has_control_characters(text)) return {};
  return std::string(text);
}

// RFC 8725, section 3.11: a token made for another purpose says so.
bool is_access_token_type(std::string_view type) {
  if (constexpr std::string_view kPrefix = "application/";
      type.size() > kPrefix.size() && equals_ignoring_ascii_case(type.substr(0, kPrefix.size()), kPrefix)) {
    type.remove_prefix(kPrefix.size());
  }
  return equals_ignoring_ascii_case(type, "JWT") || equals_ignoring_ascii_case(type, "at+jwt");
}

Result<> read_header(std::string_view encoded, ParsedJwt& jwt) {
  const auto text = base64url_decode(encoded);
  const auto header = text ? parse_strict_object(*text) : std::nullopt;
  if (!header) return unauthorized("The token's header is not a JSON object in base64url.");
  if (header->contains("crit")) return unauthorized("The token asks for extensions that are not understood here.");
  const json::value* const name = header->if_contains("alg");
  const auto algorithm =
      name != nullptr && name->is_string() ? parse_algorithm(view(name->get_string())) : std::nullopt;
  if (!algorithm) return unauthorized("The token's algorithm is not accepted.");
  jwt.algorithm = *algorithm;
  if (const json::value* type = header->if_contains("typ");
      type != nullptr && (!type->is_string() || !is_access_token_type(view(type->get_string())))) {
    return unauthorized("The token was made for another purpose.");
  }
  if (const json::value* kid = header->if_contains("kid")) {
    if (!kid->is_string() || kid->get_string().size() > kMaxKidBytes) {
      return unauthorized("The token's kid is not a string of at most 256 bytes.");
    }
    jwt.kid = view(kid->get_string());
  }
  return {};
}

}  // namespace

std::unexpected<Error> unauthorized(std::string detail) {
  return fail(ErrorKind::kUnauthenticated, "unauthorized", std::move(detail));
}

std::unexpected<Error> no_key_for(const ParsedJwt& jwt) {
  if (jwt.kid.empty()) return unauthorized("There is no key here that the token could be verified with.");
  return unauthorized("The token names a key (kid) that is not known here.");
}

Result<ParsedJwt> parse_jwt(std::string_view token) {
  if (token.size() > kMaxTokenBytes) return unauthorized("The token is over 8 KiB.");
  const std::size_t first = token.find('.');
  const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return unauthorized("The token is not a signed JWT: three parts with a dot between.");
  }
  ParsedJwt jwt{};
  if (auto header = read_header(token.substr(0, first), jwt); !header) return fail(std::move(header.error()));
  auto signature = base64url_decode(token.substr(second + 1));
  if (!signature || signature->empty()) return unauthorized("The token's signature is missing or not base64url.");
  jwt.signature = std::move(*signature);
  jwt.signed_text = token.substr(0, second);
  jwt.payload = token.substr(first + 1, second - first - 1);
  return jwt;
}

SignatureCheck check_signature(const ParsedJwt& jwt, const KeySet& keys) {
  const auto verifies = [&jwt](const VerificationKey& key) {
    return key.verify(jwt.algorithm, jwt.signed_text, jwt.signature);
  };
  if (!jwt.kid.empty()) {
    bool named = false;
    for (const auto& key : keys.keys()) {
      if (key->kid() != jwt.kid) continue;
      named = true;
      if (verifies(*key)) return SignatureCheck::kValid;
    }
    if (named) return SignatureCheck::kInvalid;
  }
  // No key of that name, or none asked for. A key that its issuer left unnamed (a bare PEM) may go by any name.
  std::size_t tried = 0;
  for (const auto& key : keys.keys()) {
    if ((!jwt.kid.empty() && key->has_given_kid()) || !key->fits(jwt.algorithm)) continue;
    if (verifies(*key)) return SignatureCheck::kValid;
    if (++tried == kMaxKeysTried) break;
  }
  return jwt.kid.empty() ? SignatureCheck::kInvalid : SignatureCheck::kUnknownKey;
}

Result<VerifiedToken> read_claims(std::string_view payload, const JwtRules& rules, WallTime now) {
  const auto text = base64url_decode(payload);
  const auto claims = text ? parse_strict_object(*text) : std::nullopt;
  if (!claims) return unauthorized("The token's claims are not a JSON object, or name a claim twice.");
  VerifiedToken token;
  if (auto times = check_times(*claims, rules, now, token.valid_until); !times) return fail(std::move(times.error()));
  if (auto issuer = check_issuer(*claims, rules); !issuer) return fail(std::move(issuer.error()));
  if (auto audience = check_audience(*claims, rules); !audience) return fail(std::move(audience.error()));
  auto tenant = id_claim(*claims, "tenant_id"), user = id_claim(*claims, "sub");
  if (!tenant) return fail(std::move(tenant.error()));
  if (!user) return fail(std::move(user.error()));
  auto roles = roles_of(*claims);
  if (!roles) return fail(std::move(roles.error()));
  token.caller = {TenantId(std::move(*tenant)), UserId(std::move(*user)), *roles, name_of(*claims)};
  return token;
}

Result<VerifiedToken> verify_jwt(std::string_view token, const KeySet& keys, const JwtRules& rules, WallTime now) {
  const auto jwt = parse_jwt(token);
  if (!jwt) return fail(jwt.error());
  switch (check_signature(*jwt, keys)) {
    case SignatureCheck::kValid:
      break;
    case SignatureCheck::kInvalid:
      return unauthorized("The token's signature is not right.");
    case SignatureCheck::kUnknownKey:
      return no_key_for(*jwt);
  }
  return read_claims(jwt->payload, rules, now);
}

}  // namespace parley::auth
