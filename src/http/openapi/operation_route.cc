#include "http/openapi/operation_route.h"

#include <memory>

#include "http/problem.h"

namespace parley::http::openapi {

namespace {

struct Row {
  const Operation& operation;
  OperationHandler handler;
};

Task<Result<Response>> answer(const Row& row, Exchange& exchange) {
  const bool known = row.operation.access == Access::kInternal ? exchange.from_role : exchange.caller != nullptr;
  if (!known) co_return fail(ErrorKind::kUnauthenticated, "unauthorized", "The request has no bearer token.");
  auto request = co_await validate(row.operation, exchange);
  if (!request) co_return fail(std::move(request.error()));
  co_return co_await row.handler(exchange, *request);
}

Task<Response> serve(std::shared_ptr<const Row> row, Exchange& exchange) {
  Result<Response> result = co_await answer(*row, exchange);
  Response response = result ? std::move(*result) : problem_response(result.error(), exchange.request_id);
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

Route operation_route(const Contract& contract, std::string_view operation_id, OperationHandler handler) {
  auto row = std::make_shared<const Row>(contract.at(operation_id), std::move(handler));
  return contract.route(operation_id, [row](Exchange& exchange) { return serve(row, exchange); });
}

}  // namespace parley::http::openapi
