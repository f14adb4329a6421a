#include "drivers/s3/signature_v4.h"

#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/sha256.h"
#include "base/text.h"

namespace parley::s3 {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

using Mac = std::array<std::uint8_t, 32>;

Mac hmac(std::span<const std::uint8_t> key, std::string_view text) {
  Mac mac{};
  unsigned size = mac.size();
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
         text.size(), mac.data(), &size);
  return mac;
}

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string scope_text(std::string_view day, const SigningScope& scope) {
  return std::string(day) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

struct CanonicalRequest {
  std::string text;
  std::string signed_headers;
};

CanonicalRequest canonical_request(const SignedParts& parts) {
  std::vector<NamedValue> headers = parts.headers;
  std::ranges::sort(headers, {}, &NamedValue::name);
  CanonicalRequest request;
  std::string& text = request.text;
  text.append(parts.method).append("\n").append(parts.path).append("\n").append(parts.query).append("\n");
  for (const NamedValue& header : headers) {
    text.append(header.name).append(":").append(trimmed(header.value)).append("\n");
    if (!request.signed_headers.empty()) request.signed_headers += ';';
    request.signed_headers += header.name;
  }
  text.append("\n").append(request.signed_headers).append("\n").append(parts.payload_hash);
  return request;
}

std::string signature(std::string_view canonical, const Credentials& credentials, const SigningScope& scope,
                      const std::string& date) {
  const std::string_view day = std::string_view(date).substr(0, 8);
  const std::string to_sign =
      std::string(kAlgorithm) + "\n" + date + "\n" + scope_text(day, scope) + "\n" + hex_encode(sha256(canonical));
  Mac key = hmac(bytes_of("AWS4" + credentials.secret_key), day);
  key = hmac(key, scope.region);
  key = hmac(key, scope.service);
  key = hmac(key, "aws4_request");
  return hex_encode(hmac(key, to_sign));
}

}  // namespace

std::string canonical_query(std::vector<NamedValue> parameters) {
  for (NamedValue& parameter : parameters) {
    parameter.name = percent_encode(parameter.name);
    parameter.value = percent_encode(parameter.value);
  }
  std::ranges::sort(parameters, [](const NamedValue& a, const NamedValue& b) {
    return a.name != b.name ? a.name < b.name : a.value < b.value;
  });
  std::string text;
  for (const NamedValue& parameter : parameters) {
    if (!text.empty()) text += '&';
    text.append(parameter.name).append("=").append(parameter.value);
  }
  return text;
}

std::string encode_path(std::string_view path) {
  std::string encoded;
  for (;;) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    encoded += percent_encode(path.substr(0, slash));
    if (slash == path.size()) return encoded;
    encoded += '/';
    path.remove_prefix(slash + 1);
  }
}

std::string amz_date(WallTime time) {
  std::string text = format_rfc3339(time).substr(0, 19) + "Z";
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string authorization(const SignedParts& parts, const Credentials& credentials, const SigningScope& scope,
                          WallTime now) {
  const std::string date = amz_date(now);
  const CanonicalRequest request = canonical_request(parts);
  return std::string(kAlgorithm) + " Credential=" + credentials.access_key + "/" +
         scope_text(std::string_view(date).substr(0, 8), scope) + ", SignedHeaders=" + request.signed_headers +
         ", Signature=" + signature(request.text, credentials, scope, date);
}

std::string presigned_query(std::string_view host, std::string_view path, std::vector<NamedValue> parameters,
                            const Credentials& credentials, const SigningScope& scope, WallTime now,
                            std::chrono::seconds life) {
  const std::string date = amz_date(now);
  parameters.push_back({"X-Amz-Algorithm", std::string(kAlgorithm)});
  parameters.push_back(
      {"X-Amz-Credential", credentials.access_key + "/" + scope_text(std::string_view(date).substr(0, 8), scope)});
  parameters.push_back({"X-Amz-Date", date});
  parameters.push_back({"X-Amz-Expires", std::to_string(life.count())});
  parameters.push_back({"X-Amz-SignedHeaders", "host"});
  if (!credentials.session_token.empty()) parameters.push_back({"X-Amz-Security-Token", credentials.session_token});
  std::string query = canonical_query(std::move(parameters));
  const CanonicalRequest request = canonical_request({.method = "GET",
                                                      .path = path,
                                                      .query = query,
                                                      .headers = {{"host", std::string(host)}},
                                                      .payload_hash = "UNSIGNED-PAYLOAD"});
  return query + "&X-Amz-Signature=" + signature(request.text, credentials, scope, date);
}

}  // namespace parley::s3
