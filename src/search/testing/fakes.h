// Fakes of what the search service stands on, for tests of its routes: an index that answers what it is told to and
// keeps what it was asked, a messaging role with members and objects, and the rest of the ports in memory. Set up from
// the test's thread between requests, used on the service's loop.
#pragma once
#include <boost/json.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"
#include "events/event_log.h"
#include "events/position.h"
#include "http/upstream.h"
#include "search/index_check.h"
#include "search/recent_searches.h"
#include "search/reindex_control.h"
#include "search/search_index.h"

namespace parley::search::testing {

namespace json = boost::json;

// Answers each search with `found` of the query's first word, everything else as its members say.
class FakeIndex final : public SearchIndex {
 public:
  std::map<std::string, SearchPage> found;  // by the text of the first phrase; others find nothing
  DirectoryPage conversations, users;
  std::vector<Suggestion> suggestions;
  std::optional<std::string> near_words;
  NamedIds named;
  events::LogOffset through{7};
  std::optional<Error> failure;  // of every call

  std::vector<SearchRequest> searches;
  std::vector<DirectoryRequest> conversation_searches, user_searches;
  std::vector<SuggestRequest> suggest_requests;
  std::vector<NamesRequest> names_requests;
  int near_words_asked = 0;

  Task<Result<SearchPage>> search(SearchRequest request, SteadyTime) override {
    if (failure) co_return fail(*failure);
    searches.push_back(request);
    std::string word;
    if (!request.query.clauses.empty()) word = request.query.clauses.front().any_of.front().text;
    SearchPage page = found.contains(word) ? found.at(word) : SearchPage();
    page.indexed_through = through;
    co_return page;
  }
  Task<Result<std::optional<std::string>>> did_you_mean(SearchScope, Query, SteadyTime) override {
    ++near_words_asked;
    co_return near_words;
  }
  Task<Result<DirectoryPage>> find_conversations(DirectoryRequest request, SteadyTime) override {
    if (failure) co_return fail(*failure);
    conversation_searches.push_back(std::move(request));
    co_return with_through(conversations);
  }
  Task<Result<DirectoryPage>> find_users(DirectoryRequest request, SteadyTime) override {
    if (failure) co_return fail(*failure);
    user_searches.push_back(std::move(request));
    co_return with_through(users);
  }
  Task<Result<std::vector<Suggestion>>> suggest(SuggestRequest request, SteadyTime) override {
    if (failure) co_return fail(*failure);
    suggest_requests.push_back(std::move(request));
    co_return suggestions;
  }
  Task<Result<NamedIds>> ids_by_name(NamesRequest request, SteadyTime) override {
    names_requests.push_back(std::move(request));
    co_return named;
  }
  Task<Result<events::LogOffset>> indexed_through(SteadyTime) override {
    if (failure) co_return fail(*failure);
    co_return through;
  }

  // No route of the service does these.
  Task<Result<ApplyOutcome>> apply(ChangeBatch, SteadyTime) override { co_return absent(); }
  Task<Result<>> follow_lanes(std::vector<LaneProgress>, SteadyTime) override { co_return absent(); }
  Task<Result<std::vector<LaneProgress>>> lanes(SteadyTime) override { co_return absent(); }
  Task<Result<RebuildState>> begin_rebuild(TenantId, std::string, SteadyTime) override { co_return absent(); }
  Task<Result<RebuildState>> add_to_rebuild(TenantId, std::string, RebuildStep, SteadyTime) override {
    co_return absent();
  }
  Task<Result<RebuildState>> finish_rebuild(TenantId, std::string, SteadyTime) override { co_return absent(); }
  Task<Result<>> abandon_rebuild(TenantId, std::string, SteadyTime) override { co_return absent(); }
  Task<Result<std::vector<RebuildState>>> rebuilds(SteadyTime) override { co_return absent(); }
  Task<Result<bool>> sweep(std::size_t, SteadyTime) override { co_return absent(); }
  Task<Result<std::int64_t>> count(TenantId, ConversationId, SteadyTime) override { co_return absent(); }
  Task<Result<std::vector<IndexedConversation>>> indexed_conversations(TenantId, std::optional<ConversationId>,
                                                                       std::size_t, SteadyTime) override {
    co_return absent();
  }
  Task<Result<std::vector<IndexedMessage>>> lookup(TenantId, ConversationId, std::vector<MessageId>,
                                                   SteadyTime) override {
    co_return absent();
  }
  Task<Result<std::int64_t>> dead_letters(SteadyTime) override { co_return absent(); }

 private:
  static std::unexpected<Error> absent() { return unavailable("unavailable", "This index does not do that."); }
  DirectoryPage with_through(DirectoryPage page) const {
    page.indexed_through = through;
    return page;
  }
};

// Messaging as far as search asks it. Whoever asks is told apart by the bearer token, which is the user's name here.
class FakeMessaging final : public http::Upstream {
 public:
  std::map<std::string, std::vector<std::string>> membership;  // user → conversations
  bool complete = true;
  std::map<std::string, json::object> messages, conversations, users;
  std::optional<Error> failure;                           // no answer at all
  int status = 200;                                       // of every answer
  std::optional<std::string> body;                        // of every answer, in place of a true one
  std::vector<std::pair<std::string, std::string>> seen;  // target and bearer of each question
  std::string acting_for;                                 // of the last
  std::function<void()> on_lookup;                        // what happens between scope and lookup

  void add_message(const std::string& id, const std::string& conversation, const std::string& content) {
    messages[id] = {{"id", id},
                    {"conversation_id", conversation},
                    {"content", content},
                    {"edited_at", nullptr},
                    {"metadata", json::object()}};
  }

  std::string_view name() const override { return "messaging"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    const std::string user(request.fields.find("Authorization").value_or(""));
    seen.emplace_back(request.target, user);
    acting_for = request.fields.find("X-Parley-User").value_or("");
    if (failure) co_return fail(*failure);
    auto asked = co_await http::read_all(*request.body, 1 << 20);
    CHECK(asked.has_value());
    if (status != 200) co_return http::json_response(status, "{}");
    if (body) co_return http::json_response(200, *body);
    co_return http::json_response(200, json::serialize(answer(user, std::string(request.target), *asked)));
  }

 private:
  json::object answer(const std::string& user, const std::string& target, const std::string& asked) {
    if (target == "/health") return {{"status", "ok"}};
    if (target == "/internal/scope") {
      json::array ids;
      for (const std::string& id : membership[user]) ids.emplace_back(id);
      return {{"conversations", std::move(ids)}, {"complete", complete}};
    }
    CHECK(target == "/internal/lookup");
    if (on_lookup) on_lookup();
    const json::value wanted = json::parse(asked);
    const auto& member_of = membership[user];
    const auto may_read = [&](const json::object& message) {
      const std::string conversation(message.at("conversation_id").as_string());
      return std::find(member_of.begin(), member_of.end(), conversation) != member_of.end();
    };
    json::array shown_messages, shown_conversations, shown_users;
    for (const json::value& id : wanted.at("messages").as_array()) {
      const auto found = messages.find(std::string(id.as_string()));
      if (found != messages.end() && may_read(found->second)) shown_messages.push_back(found->second);
    }
    for (const json::value& id : wanted.at("conversations").as_array()) {
      const auto found = conversations.find(std::string(id.as_string()));
      if (found != conversations.end()) shown_conversations.push_back(found->second);
    }
    for (const json::value& id : wanted.at("users").as_array()) {
      const auto found = users.find(std::string(id.as_string()));
      if (found != users.end()) shown_users.push_back(found->second);
    }
    return {{"messages", shown_messages}, {"conversations", shown_conversations}, {"users", shown_users}};
  }
};

class FakeRecentSearches final : public RecentSearches {
 public:
  std::map<std::string, std::vector<RecentSearch>> kept;  // by "tenant/user", newest first
  std::optional<Error> failure;

  Task<Result<>> add(TenantId tenant, UserId user, std::string query, SteadyTime) override {
    if (failure) co_return fail(*failure);
    auto& searches = kept[tenant.value + '/' + user.value];
    searches.insert(searches.begin(), {std::move(query), WallTime(std::chrono::milliseconds(1'700'000'000'000))});
    co_return Result<>();
  }
  Task<Result<std::vector<RecentSearch>>> list(TenantId tenant, UserId user, SteadyTime) override {
    if (failure) co_return fail(*failure);
    co_return kept[tenant.value + '/' + user.value];
  }
  Task<Result<>> clear(TenantId tenant, UserId user, SteadyTime) override {
    if (failure) co_return fail(*failure);
    kept.erase(tenant.value + '/' + user.value);
    co_return Result<>();
  }
  Task<Result<bool>> sweep(std::size_t, SteadyTime) override { co_return false; }
};

// A log whose events nobody reads: positions and the end are all that the service asks for.
class FakeEventLog final : public events::EventLog {
 public:
  std::optional<Error> failure;
  events::LogOffset end{7};

  Task<Result<events::EventBatch>> read(events::LogOffset, std::size_t, SteadyTime) override { co_return absent(); }
  Task<Result<events::LogOffset>> head(SteadyTime) override {
    if (failure) co_return fail(*failure);
    co_return end;
  }
  Task<Result<events::LogOffset>> tail(SteadyTime) override { co_return absent(); }
  Task<Result<events::LogStanding>> standing(SteadyTime) override { co_return absent(); }
  Task<Result<events::LogOffset>> load_offset(std::string, SteadyTime) override { co_return absent(); }
  Task<Result<>> save_offset(std::string, events::LogOffset, SteadyTime) override { co_return absent(); }
  Task<Result<>> forget_consumer(std::string, SteadyTime) override { co_return absent(); }
  Task<Result<std::int64_t>> prune(WallTime, std::size_t, SteadyTime) override { co_return absent(); }
  events::CommitSignal::Subscription subscribe(std::function<void()> listener) override {
    return signal_.subscribe(std::move(listener));
  }
  std::string position_of(const TenantId& tenant, events::LogOffset offset) const override {
    return codec_.encode(tenant, offset);
  }
  std::optional<events::LogOffset> offset_of(const TenantId& tenant, std::string_view position) const override {
    return codec_.decode(tenant, position);
  }

 private:
  static std::unexpected<Error> absent() { return unavailable("unavailable", "This log does not do that."); }
  events::CommitSignal signal_;
  events::PositionCodec codec_{events::PositionCodec::Secret{}};
};

class FakeReindex final : public ReindexControl {
 public:
  std::map<std::string, ReindexState> states;
  std::set<std::string> known{"acme", "umbrella"};

  Task<Result<ReindexStart>> start(std::optional<TenantId> tenant, SteadyTime) override {
    for (const auto& [id, state] : states) {
      if (state.phase == ReindexPhase::kRunning && state.tenant == tenant) co_return ReindexStart{state, true};
    }
    ReindexState state;
    state.id = "r" + std::to_string(states.size() + 1);
    state.tenant = tenant;
    state.started_at = WallTime(std::chrono::milliseconds(1'699'999'990'000));
    state.messages = 100;
    states[state.id] = state;
    co_return ReindexStart{state, false};
  }
  Task<Result<ReindexState>> state(std::string id, std::optional<TenantId> of, SteadyTime) override {
    if (!states.contains(id)) co_return not_found("reindex");
    ReindexState state = states.at(id);
    if (!of) co_return state;
    if (state.tenant ? state.tenant != of : !known.contains(of->value)) co_return not_found("reindex");
    state.tenant = of;
    co_return state;
  }
  Task<Result<bool>> is_known(TenantId tenant, SteadyTime) override { co_return known.contains(tenant.value); }
};

class FakeCheck final : public IndexCheck {
 public:
  IndexCheckReport report;
  std::optional<bool> asked_to_repair;
  Task<Result<IndexCheckReport>> check(bool repair, SteadyTime) override {
    asked_to_repair = repair;
    co_return report;
  }
};

}  // namespace parley::search::testing
