// Requests to S3: a call in our terms becomes what goes out, signed. Pure; any thread.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "drivers/s3/object_body.h"
#include "drivers/s3/signature_v4.h"
#include "http/message.h"
#include "http/url.h"

namespace parley::s3 {

struct S3Address {
  http::Url endpoint;
  std::string region;
  std::string bucket;
  bool path_style = true;  // http://host/bucket/key; else http://bucket.host/key

  // Where connections go, and what the Host field says.
  http::Url url() const;
  // Percent-encoded, from the host's root on.
  std::string path_of(std::string_view key) const;
  // What x-amz-copy-source wants.
  std::string copy_source(std::string_view key) const;
};

struct S3Call {
  http::Method method = http::Method::kGet;
  std::string key;  // empty: the bucket itself
  std::vector<NamedValue> query;
  std::vector<NamedValue> headers;  // names in lower case
  Bytes body;                       // null: none
  std::string body_sha256;          // hex; empty: worked out here
  bool is_slow = false;             // S3 may work on it for long before it answers
};

// A request with all that it refers to. Stays where it is.
struct OutgoingRequest {
  OutgoingRequest(const S3Address& address, const S3Call& call, const Credentials& credentials, WallTime now);
  OutgoingRequest(const OutgoingRequest&) = delete;
  OutgoingRequest& operator=(const OutgoingRequest&) = delete;

  std::string target;
  std::vector<NamedValue> headers;
  SlicedBody body;
  http::Request request;
};

}  // namespace parley::s3
