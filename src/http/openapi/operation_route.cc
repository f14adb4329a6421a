#include "http/openapi/operation_route.h"

#include <memory>

#include "http/problem.h"

namespace parley::http::openapi {

namespace {

struct Row {
  const Operation& operation;
  OperationHandler handler;
};

bool may_ask(Access access, const Exchange& exchange) {
  switch (access) {
    case Access::kOpen:
      return true;
    case Access::kInternal:
      return exchange.from_role;
    case Access::kToken:
      return exchange.caller != nullptr;
    case Access::kTokenOrSigned:
      return exchange.caller != nullptr || exchange.request.query_parameter("signature").has_value();
  }
  return false;
}

Task<Result<Response>> answer(const Row& row, Exchange& exchange) {
  if (!may_ask(row.operation.access, exchange))
    co_return fail(ErrorKind::kUnauthenticated, "unauthorized", "The request has no bearer token.");
  auto request = co_await validate(row.operation, exchange);
  if (!request) co_return fail(std::move(request.error()));
  co_return co_await row.handler(exchange, *request);
}

Task<Response> serve(std::shared_ptr<const Row> row, Exchange& exchange) {
  Result<Response> result = co_await answer(*row, exchange);
  Response response = result ? std::move(*result) : problem_response(result.error(), exchange.request_id);
  if (!response.headers.find("Cache-Control")) response.headers.add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

Route operation_route(const Contract& contract, std::string_view operation_id, OperationHandler handler) {
  auto row = std::make_shared<const Row>(contract.at(operation_id), std::move(handler));
  return contract.route(operation_id, [row](Exchange& exchange) { return serve(row, exchange); });
}

}  // namespace parley::http::openapi
