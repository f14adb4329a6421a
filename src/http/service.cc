#include "http/service.h"

#include <exception>

#include "http/problem.h"
#include "telemetry/log.h"

namespace parley::http {

namespace {

std::string allow_list(const std::vector<Method>& methods) {
  std::string list;
  for (const Method method : methods) {
    if (method != Method::kOptions) list.append(to_string(method)).append(", ");
  }
  return list + "OPTIONS";
}

}  // namespace

RoutedService::RoutedService(std::vector<Route> routes, std::vector<std::shared_ptr<Middleware>> middleware)
    : router_(std::move(routes)), middleware_(std::move(middleware)) {}

Task<Response> RoutedService::serve(Request& request) {
  Exchange exchange(request);
  Router::Match match = router_.find(request.method, request.path, exchange.path);
  exchange.route = match.route;

  std::optional<Response> answer;
  std::size_t entered = 0;
  std::exception_ptr thrown;
  try {
    while (std::optional<Middleware::Wait> waiting = enter(exchange, entered, answer)) {
      answer = co_await std::move(*waiting);
    }
    if (!answer) {
      if (match.route != nullptr) {
        answer = co_await match.route->handler(exchange);
      } else {
        answer = answer_without_route(exchange, match);
      }
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  if (thrown) answer = answer_to_exception(exchange, thrown);
  while (entered > 0) middleware_[--entered]->after(exchange, *answer);
  co_return std::move(*answer);
}

// Not a part of serve(): a verdict is large, and frames beyond 1020 bytes are not kept for reuse.
std::optional<Middleware::Wait> RoutedService::enter(Exchange& exchange, std::size_t& entered,
                                                     std::optional<Response>& answer) const {
  while (!answer && entered < middleware_.size()) {
    Middleware::Verdict verdict = middleware_[entered++]->before(exchange);
    if (auto* response = std::get_if<Response>(&verdict)) {
      answer.emplace(std::move(*response));
    } else if (auto* waiting = std::get_if<Middleware::Wait>(&verdict)) {
      return std::move(*waiting);
    }
  }
  return std::nullopt;
}

Response RoutedService::answer_without_route(const Exchange& exchange, const Router::Match& match) {
  if (match.allowed.empty()) {
    return problem_response({ErrorKind::kNotFound, "route_not_found", "There is nothing at this path.", {}, {}},
                            exchange.request_id);
  }
  Response response;
  if (exchange.request.method == Method::kOptions) {
    response.status = 204;
  } else {
    response = problem_response(
        {ErrorKind::kMethodNotAllowed, "method_not_allowed", "This path does not take that method; see Allow.", {}, {}},
        exchange.request_id);
  }
  response.headers.add("Allow", allow_list(match.allowed));
  return response;
}

Response RoutedService::answer_to_exception(const Exchange& exchange, std::exception_ptr thrown) {
  // The text goes to the log alone: it may name what no caller should know.
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    log_error("a handler threw", {{"request_id", exchange.request_id}, {"error", std::string_view(error.what())}});
  } catch (...) {
    log_error("a handler threw", {{"request_id", exchange.request_id}, {"error", "of unknown type"}});
  }
  return problem_response({ErrorKind::kInternal, "internal_error", {}, {}, {}}, exchange.request_id);
}

}  // namespace parley::http
