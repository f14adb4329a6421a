#include "search/json_encoding.h"

#include <boost/json/serialize.hpp>

#include "base/json_writer.h"

namespace parley::search {

namespace {

void write_hits(JsonWriter& json, const std::vector<ShownHit>& hits) {
  json.key("items").begin_array();
  for (const ShownHit& hit : hits) {
    std::string fields = boost::json::serialize(hit.fields);
    fields.pop_back();  // the closing brace
    if (!hit.fields.empty()) fields += ',';
    fields += "\"highlight\":";
    JsonWriter(fields).string(hit.highlight);
    json.raw(fields += '}');
  }
  json.end_array();
}

void write_total(JsonWriter& json, const ShownPage& page) {
  json.key("total").begin_object();
  json.key("value").number(page.total);
  json.key("relation").string(page.total_is_bound ? "gte" : "eq");
  json.end_object();
}

void write_note(JsonWriter& json, const SearchNote& note) {
  json.key("took_ms").number(note.took_ms);
  json.key("indexed_through").string(note.indexed_through);
  if (note.did_you_mean) json.key("did_you_mean").string(*note.did_you_mean);
}

void write_group(JsonWriter& json, std::string_view name, const ShownPage& page) {
  json.key(name).begin_object();
  write_hits(json, page.items);
  write_total(json, page);
  json.end_object();
}

const char* name_of(SuggestionKind kind) {
  switch (kind) {
    case SuggestionKind::kWord:
      return "word";
    case SuggestionKind::kConversation:
      return "conversation";
    case SuggestionKind::kUser:
      return "user";
  }
  return "word";
}

const char* name_of(ReindexPhase phase) {
  switch (phase) {
    case ReindexPhase::kRunning:
      return "running";
    case ReindexPhase::kDone:
      return "done";
    case ReindexPhase::kFailed:
      return "failed";
  }
  return "failed";
}

void write_ids(JsonWriter& json, std::string_view name, const std::vector<MessageId>& ids) {
  json.key(name).begin_array();
  for (const MessageId& id : ids) json.string(id.value);
  json.end_array();
}

}  // namespace

std::string encode(const ShownPage& page, const SearchNote& note) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_hits(json, page.items);
  json.key("next_cursor").string(page.next_cursor);
  write_total(json, page);
  write_note(json, note);
  json.end_object();
  return text;
}

std::string encode(const ShownPage& messages, const ShownPage& conversations, const ShownPage& users,
                   const SearchNote& note) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  write_group(json, "messages", messages);
  write_group(json, "conversations", conversations);
  write_group(json, "users", users);
  write_note(json, note);
  json.end_object();
  return text;
}

std::string encode(const std::vector<Suggestion>& suggestions) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const Suggestion& suggestion : suggestions) {
    json.begin_object();
    json.key("text").string(suggestion.text);
    json.key("kind").string(name_of(suggestion.kind));
    if (!suggestion.id.empty()) json.key("id").string(suggestion.id);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string encode(const std::vector<RecentSearch>& searches) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().key("items").begin_array();
  for (const RecentSearch& search : searches) {
    json.begin_object();
    json.key("query").string(search.query);
    json.key("searched_at").time(search.searched_at);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string encode(const ReindexState& state, WallTime now) {
  const auto took = std::chrono::duration<double>(state.finished_at.value_or(now) - state.started_at).count();
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("id").string(state.id);
  json.key("tenant").string(state.tenant ? std::optional(state.tenant->value) : std::nullopt);
  json.key("state").string(name_of(state.phase));
  json.key("progress").number(state.progress);
  json.key("tenants").number(state.tenants);
  json.key("tenants_done").number(state.tenants_done);
  json.key("messages").number(state.messages);
  json.key("conversations").number(state.conversations);
  json.key("users").number(state.users);
  json.key("messages_per_second").number(took > 0 ? static_cast<double>(state.messages) / took : 0.0);
  json.key("started_at").time(state.started_at);
  json.key("finished_at").time(state.finished_at);
  if (!state.failure.empty()) json.key("failure").string(state.failure);
  json.end_object();
  return text;
}

std::string encode(const IndexCheckReport& report) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("tenants").number(report.tenants);
  json.key("conversations").number(report.conversations);
  json.key("messages").number(report.messages);
  json.key("indexed").number(report.indexed);
  json.key("dead_letters").number(report.dead_letters);
  json.key("differing").number(report.differing);
  json.key("differences").begin_array();
  for (const IndexDifference& difference : report.differences) {
    json.begin_object();
    json.key("tenant").string(difference.tenant.value);
    json.key("conversation_id").string(difference.conversation.value);
    json.key("stored").number(difference.stored);
    json.key("indexed").number(difference.indexed);
    write_ids(json, "missing", difference.missing);
    write_ids(json, "surplus", difference.surplus);
    write_ids(json, "different", difference.different);
    json.end_object();
  }
  json.end_array();
  json.key("reindexes").begin_array();
  for (const std::string& id : report.reindexes) json.string(id);
  json.end_array();
  json.end_object();
  return text;
}

std::string encode(const Changes& changes, const FeedStanding& standing) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  json.key("instance").string(changes.instance);
  json.key("through").number(changes.through);
  json.key("all").boolean(changes.all);
  json.key("behind").boolean(standing.behind);
  if (standing.log_head) json.key("log_head").number(standing.log_head->value);
  json.key("indexed").number(standing.indexed.value);
  json.key("tenants").begin_array();
  for (const TenantId& tenant : changes.tenants) json.string(tenant.value);
  json.end_array().end_object();
  return text;
}

}  // namespace parley::search
