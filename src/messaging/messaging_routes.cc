#include "messaging/messaging_routes.h"

#include "http/problem.h"

namespace parley::messaging {

namespace {

struct Row {
  const char* operation;
  Answer (*handle)(Call& call);
};

constexpr Row kTable[] = {
    {"send_message", send_message},
    {"list_messages", list_messages},
    {"get_message", get_message},
    {"edit_message", edit_message},
    {"delete_message", delete_message},
    {"get_message_history", get_message_history},
    {"list_replies", list_replies},
    {"add_reaction", add_reaction},
    {"remove_reaction", remove_reaction},
    {"create_conversation", create_conversation},
    {"list_conversations", list_conversations},
    {"get_conversation", get_conversation},
    {"update_conversation", update_conversation},
    {"delete_conversation", delete_conversation},
    {"set_read_mark", set_read_mark},
    {"import_messages", import_messages},
    {"add_member", add_member},
    {"list_members", list_members},
    {"remove_member", remove_member},
    {"set_member_role", set_member_role},
    {"get_own_profile", get_own_profile},
    {"update_own_profile", update_own_profile},
    {"get_user", get_user},
    {"get_scope", get_scope},
    {"look_up", look_up},
    {"scan_tenants", scan_tenants},
    {"scan_conversations", scan_conversations},
    {"scan_messages", scan_messages},
    {"scan_users", scan_users},
};

Answer answer(Messaging& messaging, const http::openapi::Operation& operation, const Row& row,
              http::Exchange& exchange) {
  // The auth step says who asks; without it nobody is anybody.
  const bool internal = operation.access == http::Access::kInternal;
  if (internal ? !exchange.from_role : !exchange.caller) {
    co_return fail(ErrorKind::kUnauthenticated, "unauthorized", "The request has no bearer token.");
  }
  auto request = co_await http::openapi::validate(operation, exchange);
  if (!request) co_return fail(std::move(request.error()));
  if (!internal && !messaging.seen.knows(*exchange.caller))
    co_await messaging.seen.see(exchange.caller, exchange.deadline);
  Call call{messaging, exchange, *request, exchange.caller, exchange.deadline};
  co_return co_await row.handle(call);
}

Task<http::Response> serve(Messaging& messaging, const http::openapi::Operation& operation, const Row& row,
                           http::Exchange& exchange) {
  Result<http::Response> result = co_await answer(messaging, operation, row, exchange);
  http::Response response = result ? std::move(*result) : http::problem_response(result.error(), exchange.request_id);
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

}  // namespace

std::vector<http::Route> messaging_routes(const http::openapi::Contract& contract, Messaging& messaging) {
  std::vector<http::Route> routes;
  for (const Row& row : kTable) {
    const http::openapi::Operation& operation = contract.at(row.operation);
    routes.push_back(contract.route(row.operation, [&messaging, &operation, &row](http::Exchange& exchange) {
      return serve(messaging, operation, row, exchange);
    }));
  }
  return routes;
}

}  // namespace parley::messaging
