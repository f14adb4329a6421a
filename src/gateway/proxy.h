// Proxy: passes a request on to one upstream and its answer back: path mapped, fields cleaned (forwarded_fields.h),
// bodies streamed both ways at the pace of who reads. The hottest path of the product: one allocation of its own per
// request. One per upstream, used from all loops. Always answers: what fails becomes a problem.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ip_networks.h"
#include "base/random.h"
#include "gateway/forwarded_fields.h"
#include "gateway/resilient_upstream.h"
#include "http/exchange.h"

namespace parley::gateway {

// From the path that clients see to the service's.
enum class PathMapping : std::uint8_t {
  kStripVersion,          // /v1/x/y → /x/y
  kStripMedia,            // /v1/media/x/y → /x/y
  kConversationMessages,  // /v1/messages/conversations/ID → /conversations/ID/messages
};

// The target to send: `path` mapped, byte for byte as the client encoded it, and the query. Empty when the path is not
// of the mapping's shape. The answer is part of `request.target`, or `storage`.
std::string_view map_target(const http::Request& request, PathMapping mapping, std::string& storage);

// Whether a segment is "." or "..", written out or percent-encoded: what stands between here and the service might
// resolve it, and then the path we checked is not the path that is served.
bool has_dot_segment(std::string_view path);

struct ForwardingRules {
  std::string scheme = "http";  // how clients reach the gateway itself
  IpNetworks trusted_proxies;   // those whose X-Forwarded-* are passed on; others' are replaced
};

class Proxy {
 public:
  // What is passed by reference must outlive this.
  Proxy(ResilientUpstream& upstream, ForwardingRules rules, const Clock& clock, Random& random)
      : upstream_(upstream), rules_(std::move(rules)), clock_(clock), random_(random) {}

  // `honours_idempotency_key`: the service's route does, so that the request may be sent again; a key is added when the
  // client gave none. `more_time`: that the answer may take beyond the request's deadline and the upstream's.
  Task<http::Response> forward(http::Exchange& exchange, PathMapping mapping, bool honours_idempotency_key,
                               std::chrono::milliseconds more_time = {});

 private:
  class Passage;
  // Nullopt: filled in; else what to answer instead.
  std::optional<Error> prepare(http::Exchange& exchange, PathMapping mapping, bool honours_idempotency_key,
                               Passage& passage);
  Error shown(Error error, const Passage& passage) const;

  ResilientUpstream& upstream_;
  const ForwardingRules rules_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace parley::gateway
