// Service: what answers requests: a role with its middleware. The server calls it for each request it reads, and
// in_process_upstream calls it without a socket.
//
// Middleware runs in the order of one list, `before` first to last, `after` last to first (only of those whose `before`
// ran). Steps are synchronous unless they truly wait: a coroutine per step would cost more than the step.
#pragma once
#include <exception>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "http/exchange.h"
#include "http/router.h"

namespace parley::http {

class Service {
 public:
  virtual ~Service() = default;
  // Never throws: what a handler throws becomes a 500 with the request id and nothing else.
  virtual Task<Response> serve(Request& request) = 0;
};

class Middleware {
 public:
  using Wait = Task<std::optional<Response>>;
  // Go on · answer this instead · wait for this, then go on (nullopt) or answer.
  using Verdict = std::variant<std::monostate, Response, Wait>;

  virtual ~Middleware() = default;
  virtual Verdict before(Exchange&) { return {}; }
  virtual void after(Exchange&, Response&) {}
};

// A router behind middleware. Unknown paths are 404, known paths with another method 405 with Allow, OPTIONS 204 with
// Allow; all of them run through the middleware too, so that they are logged and counted.
class RoutedService final : public Service {
 public:
  RoutedService(std::vector<Route> routes, std::vector<std::shared_ptr<Middleware>> middleware);
  Task<Response> serve(Request& request) override;
  const Router& router() const { return router_; }

 private:
  // Goes through the middleware from number `entered` on, until one answers (then `answer` is set), one has to wait
  // (its wait is returned) or none is left.
  std::optional<Middleware::Wait> enter(Exchange& exchange, std::size_t& entered,
                                        std::optional<Response>& answer) const;
  static Response answer_without_route(const Exchange& exchange, const Router::Match& match);
  static Response answer_to_exception(const Exchange& exchange, std::exception_ptr thrown);

  const Router router_;
  const std::vector<std::shared_ptr<Middleware>> middleware_;
};

}  // namespace parley::http
