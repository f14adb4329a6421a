#include "search/handler_parts.h"
#include "search/json_encoding.h"

namespace parley::search {

namespace {

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace

Answer list_suggestions(Call& call) {
  auto scope = co_await caller_scope(call);
  if (!scope) co_return fail(std::move(scope.error()));
  SuggestRequest request{std::move(scope->scope), text_of(call, "q"), page_limit(call)};
  auto suggestions = co_await call.search.index.suggest(std::move(request), index_deadline(call));
  if (!suggestions) co_return fail(std::move(suggestions.error()));
  co_return http::json_response(200, encode(*suggestions));
}

Answer list_recent_searches(Call& call) {
  auto searches = co_await call.search.recent.list(call.caller->tenant, call.caller->user, call.deadline);
  if (!searches) co_return fail(std::move(searches.error()));
  co_return http::json_response(200, encode(*searches));
}

Answer clear_recent_searches(Call& call) {
  auto cleared = co_await call.search.recent.clear(call.caller->tenant, call.caller->user, call.deadline);
  if (!cleared) co_return fail(std::move(cleared.error()));
  co_return no_content();
}

Answer record_recent_search(Call& call) {
  std::string query(std::string_view(call.request.body().at("q").get_string()));
  auto added = co_await call.search.recent.add(call.caller->tenant, call.caller->user, std::move(query), call.deadline);
  if (!added) co_return fail(std::move(added.error()));
  co_return no_content();
}

}  // namespace parley::search
