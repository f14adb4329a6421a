#include "http/problem.h"
#include "search/handler_parts.h"
#include "search/json_encoding.h"

namespace parley::search {

namespace {

Result<> require_admin(const Call& call) {
  if (call.caller->roles.admin) return {};
  return fail(ErrorKind::kForbidden, "forbidden", "This needs the role admin.");
}

Answer begin(Call& call, std::optional<TenantId> tenant) {
  auto started = co_await call.search.reindex.start(std::move(tenant), call.deadline);
  if (!started) co_return fail(std::move(started.error()));
  if (started->already_running) {
    const Error running{
        ErrorKind::kConflict, "reindex_running", "A reindex is under way; reindex_id names it.", {}, {}};
    co_return http::problem_response(running, call.exchange.request_id, {{"reindex_id", started->state.id}});
  }
  co_return http::json_response(202, encode(started->state, call.search.clock.wall_now()));
}

}  // namespace

Answer start_reindex(Call& call) {
  if (auto allowed = require_admin(call); !allowed) co_return fail(std::move(allowed.error()));
  co_return co_await begin(call, call.caller->tenant);
}

Answer get_reindex(Call& call) {
  if (auto allowed = require_admin(call); !allowed) co_return fail(std::move(allowed.error()));
  auto state = co_await call.search.reindex.state(std::string(call.request.text("reindex_id")), call.caller->tenant,
                                                  call.deadline);
  if (!state) co_return fail(std::move(state.error()));
  co_return http::json_response(200, encode(*state, call.search.clock.wall_now()));
}

Answer start_any_reindex(Call& call) {
  const auto& body = call.request.body();
  std::optional<TenantId> tenant;
  if (const auto* const given = body.if_contains("tenant")) {
    tenant.emplace(std::string_view(given->get_string()));
    // A tenant that was mistyped would be built anew, of nothing, and all would seem well.
    const auto known = co_await call.search.reindex.is_known(*tenant, call.deadline);
    if (!known) co_return fail(known.error());
    if (!*known) co_return fail(ErrorKind::kNotFound, "not_found", "There is no such tenant.");
  }
  co_return co_await begin(call, std::move(tenant));
}

Answer get_any_reindex(Call& call) {
  auto state =
      co_await call.search.reindex.state(std::string(call.request.text("reindex_id")), std::nullopt, call.deadline);
  if (!state) co_return fail(std::move(state.error()));
  co_return http::json_response(200, encode(*state, call.search.clock.wall_now()));
}

}  // namespace parley::search
