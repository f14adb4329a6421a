#include "messaging/messaging_routes.h"

#include "http/openapi/operation_route.h"

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
    {"check_attachment", check_attachment},
    {"forget_files", forget_files},
    {"read_log", read_log},
    {"scan_tenants", scan_tenants},
    {"scan_conversations", scan_conversations},
    {"scan_messages", scan_messages},
    {"scan_users", scan_users},
};

Answer serve(Messaging& messaging, const Row& row, http::Exchange& exchange,
             const http::openapi::ValidatedRequest& request) {
  const std::shared_ptr<const Caller>& caller = exchange.caller;  // null where a role asks for itself
  if (caller && !messaging.seen.knows(*caller)) co_await messaging.seen.see(caller, exchange.due());
  Call call{messaging, exchange, request, caller, exchange.due()};
  co_return co_await row.handle(call);
}

}  // namespace

std::vector<http::Route> messaging_routes(const http::openapi::Contract& contract, Messaging& messaging) {
  std::vector<http::Route> routes;
  for (const Row& row : kTable) {
    routes.push_back(http::openapi::operation_route(
        contract, row.operation,
        [&messaging, &row](http::Exchange& exchange, const http::openapi::ValidatedRequest& request) {
          return serve(messaging, row, exchange, request);
        }));
  }
  return routes;
}

}  // namespace parley::messaging
