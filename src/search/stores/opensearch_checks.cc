#include "search/stores/opensearch_checks.h"

#include "search/stores/opensearch_query.h"
#include "search/stores/opensearch_tenants.h"

namespace parley::search {

namespace {

json::object findable(const TenantState& state, const std::vector<std::string>* conversations) {
  json::array filter = generation_filter(state.tenant, state.serving);
  filter.push_back(term_filter("live", true));
  if (conversations) filter.push_back(terms_filter("conversation", to_array(*conversations)));
  return bool_filter(std::move(filter), erased_filters(state, conversations));
}

}  // namespace

Task<Result<std::int64_t>> count_messages(OpenSearchCluster& cluster, TenantId tenant, ConversationId conversation,
                                          SteadyTime deadline) {
  auto view = co_await view_of(cluster, tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  if (!view->state) co_return 0;
  const std::vector<std::string> it{conversation.value};
  json::object body{{"size", 0}, {"track_total_hits", true}, {"query", findable(*view->state, &it)}};
  auto answer = co_await cluster.search(cluster.names.messages, tenant, std::move(body), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  co_return total_of(*answer).count;
}

Task<Result<std::vector<IndexedConversation>>> list_conversations(OpenSearchCluster& cluster, TenantId tenant,
                                                                  std::optional<ConversationId> after,
                                                                  std::size_t limit, SteadyTime deadline) {
  std::vector<IndexedConversation> listed;
  auto view = co_await view_of(cluster, tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  if (!view->state || limit == 0) co_return listed;
  json::object by_id{
      {"size", limit},
      {"sources", json::array{json::object{{"id", json::object{{"terms", {{"field", "conversation"}}}}}}}}};
  if (after) by_id["after"] = json::object{{"id", after->value}};
  json::object body{{"size", 0},
                    {"query", findable(*view->state, nullptr)},
                    {"aggs", json::object{{"conversations", json::object{{"composite", std::move(by_id)}}}}}};
  auto answer = co_await cluster.search(cluster.names.messages, tenant, std::move(body), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  const json::object& found = object_in(object_in(*answer, "aggregations"), "conversations");
  for (const json::value& each : array_in(found, "buckets")) {
    const json::object* const bucket = each.if_object();
    if (!bucket) continue;
    listed.push_back({ConversationId(text_in(object_in(*bucket, "key"), "id")), integer_in(*bucket, "doc_count")});
  }
  co_return listed;
}

Task<Result<std::vector<IndexedMessage>>> look_up_messages(OpenSearchCluster& cluster, TenantId tenant,
                                                           ConversationId conversation, std::vector<MessageId> ids,
                                                           SteadyTime deadline) {
  std::vector<IndexedMessage> messages;
  auto state = co_await read_tenant(cluster, tenant, deadline);
  if (!state) co_return fail(std::move(state.error()));
  if (!*state) co_return messages;
  const Target target = (*state)->serving_target();
  std::vector<WantedDocument> wanted;
  for (const MessageId& id : ids) {
    wanted.push_back({.index = cluster.names.messages,
                      .id = message_document_id(target, conversation, id),
                      .route = tenant.value,
                      .fields = {"live", "number", "seq", "content", "file_names"}});
  }
  auto found = co_await cluster.fetch(std::move(wanted), deadline);
  if (!found) co_return fail(std::move(found.error()));
  std::int64_t erased = -1;
  for (const TenantState::Erasure& each : (*state)->erased) {
    if (each.generation != target.generation || each.conversation != conversation) continue;
    erased = std::max(erased, each.number);
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& stored = (*found)[i];
    if (!stored || !flag_in(stored->source, "live") || integer_in(stored->source, "number") <= erased) continue;
    messages.push_back({ids[i], integer_in(stored->source, "seq"), std::string(text_in(stored->source, "content")),
                        texts_in(stored->source, "file_names")});
  }
  co_return messages;
}

}  // namespace parley::search
