// The header fields of a request on its way to an upstream: what must not pass is left out (RFC 9110 section 7.6.1),
// what the upstream should know of the client is added. Pure, any thread.
#pragma once
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/message.h"

namespace parley::gateway {

// Proxies in front of the gateway whose X-Forwarded-* are believed. Empty: nobody's.
class TrustedProxies {
 public:
  TrustedProxies() = default;
  // Addresses ("10.0.0.1", "::1") and networks ("10.0.0.0/8"). kInvalid on anything else.
  static Result<TrustedProxies> parse(std::span<const std::string> texts);
  bool empty() const { return networks_.empty(); }
  bool contains(std::string_view address) const;

 private:
  using Network = std::variant<asio::ip::network_v4, asio::ip::network_v6>;
  std::vector<Network> networks_;
};

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
