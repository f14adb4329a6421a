#include "drivers/s3/s3_requests.h"

#include "base/sha256.h"
#include "base/text.h"

namespace parley::s3 {

http::Url S3Address::url() const {
  http::Url url = endpoint;
  if (!path_style) url.host = bucket + "." + url.host;
  return url;
}

std::string S3Address::path_of(std::string_view key) const {
  std::string path = endpoint.path + "/";
  if (path_style) path += percent_encode(bucket) + (key.empty() ? "" : "/");
  return path + encode_path(key);
}

std::string S3Address::copy_source(std::string_view key) const {
  return "/" + percent_encode(bucket) + "/" + encode_path(key);
}

OutgoingRequest::OutgoingRequest(const S3Address& address, const S3Call& call, const Credentials& credentials,
                                 WallTime now)
    : headers(call.headers), body(call.body) {
  const std::string path = address.path_of(call.key);
  const std::string query = canonical_query(call.query);
  const std::string hash =
      !call.body_sha256.empty() ? call.body_sha256 : hex_encode(sha256(call.body ? *call.body : std::string_view()));
  headers.push_back({"host", address.url().authority()});
  headers.push_back({"x-amz-content-sha256", hash});
  headers.push_back({"x-amz-date", amz_date(now)});
  if (!credentials.session_token.empty()) headers.push_back({"x-amz-security-token", credentials.session_token});
  std::string proof = authorization(
      {.method = http::to_string(call.method), .path = path, .query = query, .headers = headers, .payload_hash = hash},
      credentials, {.region = address.region}, now);
  headers.push_back({"authorization", std::move(proof)});

  // The upstream puts the path of its own address in front, and the Host field.
  target = path.substr(address.endpoint.path.size());
  if (!query.empty()) target += "?" + query;
  request.method = call.method;
  request.method_text = http::to_string(call.method);
  request.set_target(target);
  for (const NamedValue& header : headers) request.fields.add(header.name, header.value);
  request.body = &body;
}

}  // namespace parley::s3
