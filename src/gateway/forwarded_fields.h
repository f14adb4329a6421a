// The header fields of a request on its way to an upstream: what must not pass is left out (RFC 9110 section 7.6.1),
// what the upstream should know of the client is added. Pure, any thread.
#pragma once
#include <string_view>

#include "http/message.h"

namespace parley::gateway {

// What the gateway says of a request. Views must outlive the fields they are written to.
struct ForwardedFacts {
  std::string_view forwarded_for;  // the client's address, or a list that ends in it
  std::string_view request_id;
  std::string_view traceparent;    // empty: none
  std::string_view scheme;         // "http" or "https": how the client reached the gateway
  bool client_is_trusted = false;  // its X-Forwarded-Proto, -Host and Forwarded stay
};

// Fills `out` from the client's fields and `facts`. False when there are more than Fields::kMaxFields: then the request
// must not go out, for it lacks something.
bool forward_fields(const http::Fields& client, const ForwardedFacts& facts, http::Fields& out);

}  // namespace parley::gateway
