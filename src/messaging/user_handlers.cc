#include "messaging/handler_parts.h"
#include "messaging/if_match.h"

namespace parley::messaging {

Answer get_own_profile(Call& call) {
  auto seen = co_await call.store().see_user(*call.caller, call.deadline);
  if (!seen) co_return fail(std::move(seen.error()));
  co_return read_response(encode(seen->value), seen->value.version);
}

Answer update_own_profile(Call& call) {
  auto guard = parse_if_match(call.request.find_text("If-Match"));
  if (!guard) co_return fail(std::move(guard.error()));
  const json::object& body = call.request.body();
  UpdateUser command{nullable_text_field(body, "name"), nullable_text_field(body, "avatar_url"), metadata_field(body),
                     std::move(*guard)};
  auto written = co_await call.store().update_user(*call.caller, std::move(command), call.deadline);
  if (written) {
    co_return written_response(200, encode(written->value, position_of(written->position)), written->position,
                               written->value.version);
  }
  if (written.error().kind != ErrorKind::kPreconditionFailed) co_return fail(std::move(written.error()));
  const auto present = co_await call.store().get_user(*call.caller, call.caller->user, call.deadline);
  co_return precondition_problem(call, written.error(), present ? std::optional(present->version) : std::nullopt);
}

Answer get_user(Call& call) {
  auto user = co_await call.store().get_user(*call.caller, path_id<UserId>(call, "user_id"), call.deadline);
  if (!user) co_return fail(std::move(user.error()));
  co_return read_response(encode(*user), user->version);
}

}  // namespace parley::messaging
