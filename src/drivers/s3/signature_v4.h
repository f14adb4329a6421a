// AWS Signature Version 4, the form that S3 asks: pure functions from a request and credentials to what proves that
// whoever sends it has the secret key. The secret appears in nothing that comes out. Any thread; never fails.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace parley::s3 {

struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // of credentials that expire; else empty
};

struct NamedValue {
  std::string name;
  std::string value;
};

// The parts of a request that are signed. Header names are in lower case, "host" is among them.
struct SignedParts {
  std::string_view method;
  std::string_view path;   // percent-encoded, as it goes out
  std::string_view query;  // canonical_query() of it, as it goes out
  std::vector<NamedValue> headers;
  std::string_view payload_hash;  // hex SHA-256 of the body, or "UNSIGNED-PAYLOAD"
};

// Where a signature holds: "us-east-1" and "s3".
struct SigningScope {
  std::string region;
  std::string service = "s3";
};

// Sorted and percent-encoded, without `?`.
std::string canonical_query(std::vector<NamedValue> parameters);
// Each segment encoded once, slashes kept.
std::string encode_path(std::string_view path);
// "20150830T123600Z"
std::string amz_date(WallTime time);

// The value of the Authorization field.
std::string authorization(const SignedParts& parts, const Credentials& credentials, const SigningScope& scope,
                          WallTime now);
// The query with which anybody may GET that path for a while, without credentials of their own. `host` is what the Host
// field will say.
std::string presigned_query(std::string_view host, std::string_view path, std::vector<NamedValue> parameters,
                            const Credentials& credentials, const SigningScope& scope, WallTime now,
                            std::chrono::seconds life);

}  // namespace parley::s3
