// Exchange: one request on its way through middleware and handler, with what each step learned of it. Lives in the
// frame that serves the request, on that loop; a handler may keep references to it until it answers.
#pragma once
#include <boost/container/static_vector.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace parley {
struct Caller;
}

namespace parley::http {

struct Route;

// Values of `{name}` segments, percent-decoded, in the order of the pattern.
class PathParameters {
 public:
  void add(std::string_view name, std::string value) { items_.push_back({name, std::move(value)}); }
  // CHECK-fails on a name the route's pattern does not have.
  const std::string& at(std::string_view name) const;
  auto begin() const { return items_.begin(); }
  auto end() const { return items_.end(); }

 private:
  struct Item {
    std::string_view name;
    std::string value;
  };
  boost::container::static_vector<Item, 4> items_;
};

struct Exchange {
  explicit Exchange(Request& r) : request(r), client(r.peer) {}

  Request& request;
  const Route* route =
      nullptr;              // set once the router has found it; its pattern is the `route` label of logs and metrics
  std::string_view client;  // the peer, or who stands behind it when that is a trusted proxy
  PathParameters path;
  std::string request_id;   // 1–128 visible ASCII; from X-Request-Id if valid, else made
  std::string traceparent;  // W3C Trace Context to pass on, or empty
  SteadyTime started_at{};
  SteadyTime deadline{};                 // when an answer is due, if the body is there at once
  std::shared_ptr<const Caller> caller;  // set by the auth step; null on routes open to all and on internal ones
  bool from_role = false;                // set by the auth step: an internal token of this role was shown

  // When an answer is due: the deadline, put off by as long as the client was waited for. (How slowly it may send is
  // for the body's own limits to say.)
  SteadyTime due() const {
    if (deadline == SteadyTime::max() || request.body == nullptr) return deadline;
    return deadline + request.body->waited();
  }
};

}  // namespace parley::http
