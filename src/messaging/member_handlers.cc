#include "messaging/cursor.h"
#include "messaging/handler_parts.h"

namespace parley::messaging {

namespace {

std::optional<MemberRole> role_field(const json::object& body) {
  const auto text = text_field(body, "role");
  return text ? parse_member_role(*text) : std::nullopt;
}

}  // namespace

Answer add_member(Call& call) {
  const json::object& body = call.request.body();
  AddMember command{path_id<ConversationId>(call, "conversation_id"), *id_field<UserId>(body, "user_id"),
                    role_field(body)};
  auto written = co_await call.store().add_member(*call.caller, std::move(command), call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return written_response(written->changed ? 201 : 200, encode(written->value, position_of(written->position)),
                             written->position);
}

Answer list_members(Call& call) {
  const auto conversation = path_id<ConversationId>(call, "conversation_id");
  const CursorScope scope("list_members", *call.caller, {conversation.value});
  ListMembers query{conversation, {}, page_limit(call)};
  if (const auto cursor = call.request.find_text("cursor")) {
    const auto payload = scope.open(*cursor);
    if (!payload) co_return fail(payload.error());
    auto point = parse_member_point(*payload);
    if (!point) co_return fail(std::move(point.error()));
    query.after = std::move(*point);
  }
  auto page = co_await call.store().list_members(*call.caller, std::move(query), call.deadline);
  if (!page) co_return fail(std::move(page.error()));
  PageCursors cursors;
  if (page->has_more) {
    cursors.next = scope.seal(to_payload(MemberListPoint{page->items.back().joined_at, page->items.back().user_id}));
  }
  co_return read_response(encode_list(page->items, cursors));
}

Answer remove_member(Call& call) {
  RemoveMember command{path_id<ConversationId>(call, "conversation_id"), path_id<UserId>(call, "user_id")};
  auto written = co_await call.store().remove_member(*call.caller, std::move(command), call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return deleted_response(written->position);
}

Answer set_member_role(Call& call) {
  SetMemberRole command{path_id<ConversationId>(call, "conversation_id"), path_id<UserId>(call, "user_id"),
                        *role_field(call.request.body())};
  auto written = co_await call.store().set_member_role(*call.caller, std::move(command), call.deadline);
  if (!written) co_return fail(std::move(written.error()));
  co_return written_response(200, encode(written->value, position_of(written->position)), written->position);
}

}  // namespace parley::messaging
