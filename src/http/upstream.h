// Upstream: the port through which one role asks another. in_process_upstream (same process, no socket) and
// http_upstream (per-core keep-alive pools) implement it; breaker, retry, deadline and metrics wrap either.
#pragma once
#include <memory>
#include <string_view>

#include "http/message.h"

namespace parley::http {

// A field that a role puts on a 5xx to say that it is well itself (Error::role_is_well): what the caller wished for
// could not be had in the time that the caller gave for it, or hangs on another role, or on one thing that is lost.
// Whoever stands between counts that against nobody and does not ask again, but takes the field off and passes the
// answer on.
inline constexpr std::string_view kRoleIsWell = "X-Parley-Role-Is-Well";

class Upstream {
 public:
  virtual ~Upstream() = default;
  // "messaging": for logs, metrics and health.
  virtual std::string_view name() const = 0;
  // Sends `request` (its fields go out as they are; hop-by-hop fields are the caller's to leave out) and answers the
  // head of the response; the rest comes through Response::stream, which gives its connection back when it ends or is
  // destroyed. Errors: kUnavailable (no connection, connection lost before an answer), kTimeout (no head by
  // `deadline`, which is put off by as long as it takes to hand the body over: that has idle limits of its own).
  // `request` must live until the returned Response is done with.
  virtual Task<Result<Response>> call(Request& request, SteadyTime deadline) = 0;
  // On a loop: closes the connections of that loop that rest, for nobody will call from it any more.
  virtual void close_idle() {}
};

}  // namespace parley::http
