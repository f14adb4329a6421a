#include "search/stores/opensearch_matches.h"

#include <algorithm>

#include "search/message_text.h"

namespace parley::search {

namespace {

constexpr std::size_t kLookedAtOnce = 500;
constexpr int kMostLooks = 20;  // where texts have to be looked at

// What the engine could not be asked.
class PlacesCheck {
 public:
  explicit PlacesCheck(const OpenSearchQuery& query) : unwanted_(query.unwanted) {
    for (const auto& any : query.wanted) wanted_.emplace_back(any);
  }
  bool passes(const std::string& text) const {
    const auto has_any = [&](const PhraseCounts& phrases) {
      return std::ranges::any_of(phrases.tally(text), [](char times) { return times != 0; });
    };
    return std::ranges::all_of(wanted_, has_any) && !has_any(unwanted_);
  }

 private:
  std::vector<PhraseCounts> wanted_;
  PhraseCounts unwanted_;
};

json::array order() {
  return {json::object{{"created_at", "desc"}}, json::object{{"seq", "desc"}}, json::object{{"conversation", "asc"}},
          json::object{{"message", "asc"}}};
}

FoundMessage found_message(const json::object& source) {
  return {.place = {.created_ms = integer_in(source, "created_at"),
                    .seq = integer_in(source, "seq"),
                    .conversation = std::string(text_in(source, "conversation")),
                    .message = std::string(text_in(source, "message"))},
          .content = std::string(text_in(source, "content")),
          .file_names = texts_in(source, "file_names")};
}

json::object body_of(const OpenSearchQuery& query, const MatchesWanted& wanted,
                     const std::optional<MessagePlace>& after, std::size_t size) {
  OpenSearchQuery bounded = query;
  // Those of the same moment are told apart here.
  if (wanted.from) bounded.filter.push_back(range_filter("created_at", {{"lte", wanted.from->created_ms}}));
  json::object body{{"size", size},
                    {"track_total_hits", kRankedWindow + 1},
                    {"query", bounded.body()},
                    {"sort", order()},
                    {"_source", {"conversation", "message", "seq", "created_at", "content", "file_names"}}};
  if (after) body["search_after"] = after->to_json();
  return body;
}

}  // namespace

bool is_before(const MessagePlace& a, const MessagePlace& b) {
  if (a.created_ms != b.created_ms) return a.created_ms > b.created_ms;
  if (a.seq != b.seq) return a.seq > b.seq;
  return std::tie(a.conversation, a.message) < std::tie(b.conversation, b.message);
}

std::optional<MessagePlace> MessagePlace::from_json(const json::value& value) {
  const json::array* const parts = value.if_array();
  if (!parts || parts->size() != 4 || !parts->at(0).is_int64() || !parts->at(1).is_int64() ||
      !parts->at(2).is_string() || !parts->at(3).is_string()) {
    return std::nullopt;
  }
  return MessagePlace{parts->at(0).get_int64(), parts->at(1).get_int64(),
                      std::string(std::string_view(parts->at(2).get_string())),
                      std::string(std::string_view(parts->at(3).get_string()))};
}

std::string FoundMessage::text() const {
  return message_text(content, file_names);
}

Task<Result<FoundMatches>> find_matches(OpenSearchCluster& cluster, TenantId tenant, OpenSearchQuery query,
                                        MatchesWanted wanted, SteadyTime deadline) {
  FoundMatches found;
  const PlacesCheck check(query);
  std::optional<MessagePlace> after = wanted.after;
  for (int looks = 0;; ++looks) {
    if (looks == kMostLooks) {
      found.stopped_at = after;
      co_return found;
    }
    const std::size_t left = wanted.most - found.messages.size();
    const std::size_t size = query.is_exact() ? std::min(left, kLookedAtOnce) : kLookedAtOnce;
    auto answer =
        co_await cluster.search(cluster.names.messages, tenant, body_of(query, wanted, after, size), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    if (query.is_exact()) found.total = total_of(*answer);
    const std::vector<FoundDocument> hits = hits_of(*answer);
    for (const FoundDocument& hit : hits) {
      FoundMessage message = found_message(*hit.source);
      after = message.place;
      if (wanted.from && is_before(message.place, *wanted.from)) continue;
      if (!query.is_exact() && !check.passes(message.text())) continue;
      found.messages.push_back(std::move(message));
      if (found.messages.size() == wanted.most) co_return found;
    }
    if (hits.size() < size) co_return found;
  }
}

}  // namespace parley::search
