// The routes of a role, in one readable table, and their lookup. Built once, then read by all loops.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.h"
#include "http/message.h"

namespace parley::http {

using Handler = std::function<Task<Response>(Exchange&)>;

// Who may call: whoever has a user's token; anybody (health, metrics, docs); another role of ours, by an internal
// token; whoever has a token or, without one, a signed address, whose signature the handler checks.
enum class Access : std::uint8_t { kToken, kOpen, kInternal, kTokenOrSigned };

struct Route {
  Method method;
  std::string pattern;  // "/conversations/{conversation_id}/messages"; `{name*}` as last segment takes the rest, raw
  Handler handler;
  Access access = Access::kToken;
  std::string operation_id;  // of the OpenAPI file; empty when the role has no contract for it
  std::size_t index = 0;     // in the table; set by the Router
};

class Router {
 public:
  // CHECK-fails on two routes of the same shape and method.
  explicit Router(std::vector<Route> routes);

  struct Match {
    const Route* route = nullptr;  // null: not found, or the method is not allowed
    std::vector<Method> allowed;   // when the path exists but not with this method, else empty
  };
  // Fills `parameters`. HEAD finds GET's route where it has none of its own. A segment that is no valid percent-encoded
  // UTF-8 matches nothing.
  Match find(Method method, std::string_view path, PathParameters& parameters) const;

  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Node;
  std::vector<Route> routes_;
  std::shared_ptr<Node> root_;
};

}  // namespace parley::http
