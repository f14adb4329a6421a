#include "search/stores/opensearch_people.h"

#include "search/stores/opensearch_documents.h"
#include "search/stores/opensearch_query.h"

namespace parley::search {

namespace {

constexpr std::size_t kReadAtOnce = 500;
constexpr std::size_t kMaxRead = 4000;

enum NameKind : int { kSpelling = 0, kTerm = 1 };

json::object name_begins(int kind, std::string_view beginning) {
  json::array both;
  both.push_back(term_filter("names.kind", kind));
  both.push_back(prefix_filter("names.text", beginning));
  return bool_filter(std::move(both));
}
json::object has_name(int kind, std::string_view beginning) {
  return {{"nested", json::object{{"path", "names"}, {"query", name_begins(kind, beginning)}}}};
}

class PeopleScan {
 public:
  PeopleScan(OpenSearchCluster& cluster, const TenantState& state, const NameQuery& query)
      : cluster_(cluster), state_(state), query_(query) {}

  Task<Result<FoundPeople>> run(std::optional<DirectoryPlace> after, std::size_t most, SteadyTime deadline) {
    for (const int kind : {kSpelling, kTerm}) {
      if (beginning_of(kind).empty() || (after && after->rank > kind)) continue;
      std::optional<DirectoryPlace> from = after && after->rank == kind ? after : std::nullopt;
      auto read = co_await read_kind(kind, std::move(from), most, deadline);
      if (!read) co_return fail(std::move(read.error()));
      if (found_.people.size() >= most || found_.stopped_at) break;
    }
    co_return std::move(found_);
  }

 private:
  const std::string& beginning_of(int kind) const { return kind == kSpelling ? query_.whole : query_.driver; }

  json::object body(int kind, const std::optional<DirectoryPlace>& after, std::size_t size) const {
    json::array filter = generation_filter(state_.tenant, state_.serving);
    filter.push_back(term_filter("kind", "person"));
    if (kind == kSpelling) {
      filter.push_back(has_name(kind, query_.whole));
    } else {
      for (const std::string& word : query_.words) filter.push_back(has_name(kind, word));
    }
    const json::object by_name{{"order", "asc"},
                               {"mode", "min"},
                               {"nested", {{"path", "names"}, {"filter", name_begins(kind, beginning_of(kind))}}}};
    json::object made{{"size", size},
                      {"query", bool_filter(std::move(filter))},
                      {"sort", json::array{json::object{{"names.text", by_name}}, json::object{{"user", "asc"}}}},
                      {"_source", json::array{"user", "name", "spellings", "terms"}}};
    if (after) made["search_after"] = json::array{after->text, after->id};
    return made;
  }

  Task<Result<>> read_kind(int kind, std::optional<DirectoryPlace> after, std::size_t most, SteadyTime deadline) {
    for (;;) {
      const std::size_t size = std::min({kReadAtOnce, most - found_.people.size() + 1, kMaxRead - read_});
      auto answer =
          co_await cluster_.search(cluster_.names.directory, state_.tenant, body(kind, after, size), deadline);
      if (!answer) co_return fail(std::move(answer.error()));
      const std::vector<FoundDocument> hits = hits_of(*answer);
      for (const FoundDocument& hit : hits) {
        after = place_of(kind, hit);
        take(kind, *hit.source, *after);
        if (found_.people.size() == most) co_return Result<>{};
      }
      read_ += hits.size();
      if (hits.size() < size) co_return Result<>{};
      if (read_ >= kMaxRead) {
        found_.stopped_at = after;
        co_return Result<>{};
      }
    }
  }

  static DirectoryPlace place_of(int kind, const FoundDocument& hit) {
    DirectoryPlace place{.rank = kind, .text = {}, .id = std::string(text_in(*hit.source, "user"))};
    if (!hit.sort->empty() && hit.sort->front().is_string()) {
      place.text = std::string_view(hit.sort->front().get_string());
    }
    return place;
  }
  void take(int kind, const json::object& source, const DirectoryPlace& place) {
    const std::string spellings = lines_in(source, "spellings"), terms = lines_in(source, "terms");
    const auto fits = fit(query_, {.spellings = spellings, .terms = terms, .topic_terms = {}});
    // Each person stands in the order once, at the best place of all.
    if (!fits || (fits->fit == NameFit::kWords) != (kind == kTerm)) return;
    found_.people.push_back({place, std::string(text_in(source, "name"))});
  }

  OpenSearchCluster& cluster_;
  const TenantState& state_;
  const NameQuery& query_;
  FoundPeople found_;
  std::size_t read_ = 0;
};

}  // namespace

Task<Result<FoundPeople>> fitting_people(OpenSearchCluster& cluster, TenantState state, NameQuery query,
                                         std::optional<DirectoryPlace> after, std::size_t most, SteadyTime deadline) {
  PeopleScan scan(cluster, state, query);
  co_return co_await scan.run(std::move(after), most, deadline);
}

}  // namespace parley::search
