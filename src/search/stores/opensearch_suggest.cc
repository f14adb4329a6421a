#include "search/stores/opensearch_suggest.h"

#include <algorithm>

#include "search/index_requests.h"
#include "search/query_parser.h"
#include "search/stores/opensearch_directory.h"
#include "search/stores/opensearch_matches.h"
#include "search/text/near_words.h"
#include "search/text/word_completions.h"

namespace parley::search {

namespace {

constexpr std::size_t kNewestWithIt = 500;  // messages that words are taken from
constexpr std::size_t kNewest = 1500;       // of the scope, for near words

Query one_phrase(Phrase phrase) {
  Query query;
  query.clauses.push_back({.any_of = {std::move(phrase)}});
  return query;
}

// The texts of what is found; none where there is nothing to look for.
Task<Result<std::vector<std::string>>> texts_of(OpenSearchCluster& cluster, TenantId tenant,
                                                std::optional<OpenSearchQuery> query, std::size_t most,
                                                SteadyTime deadline) {
  std::vector<std::string> texts;
  if (!query) co_return texts;
  auto found =
      co_await find_matches(cluster, tenant, std::move(*query), {.most = most, .from = {}, .after = {}}, deadline);
  if (!found) co_return fail(std::move(found.error()));
  for (const FoundMessage& each : found->messages) texts.push_back(each.text());
  co_return texts;
}

struct WordsWanted {
  std::string before;  // what stands before the word, with the space between
  WordCompletions words;
  std::optional<OpenSearchQuery> query;
};

// Of several words the last is completed, as the newest messages have it that have the others too.
std::optional<WordsWanted> words_wanted(const TenantState& state, const SuggestRequest& request) {
  const TypedText typed = split_typed(request.prefix);
  if (typed.before.empty()) {
    WordsWanted wanted{{}, WordCompletions(request.prefix), {}};
    if (!wanted.words.possible()) return std::nullopt;
    // Characters of scripts without spaces are terms, so that no prefix is needed.
    const bool goes_on = !wanted.words.is_unspaced();
    wanted.query =
        make_query(state, request.scope, one_phrase({.text = request.prefix, .exact = true, .prefix = goes_on}));
    return wanted;
  }
  WordsWanted wanted{std::string(typed.before), WordCompletions(typed.last), {}};
  auto others = parse_query(typed.before);
  if (!wanted.words.possible() || !others) return std::nullopt;
  for (auto* const names : {&others->from, &others->in, &others->none_of.from, &others->none_of.in}) names->clear();
  const bool goes_on = !wanted.words.is_unspaced();
  others->clauses.push_back({.any_of = {{.text = std::string(typed.last), .exact = true, .prefix = goes_on}}});
  wanted.query = make_query(state, request.scope, *others);
  return wanted;
}

Task<Result<std::vector<std::string>>> suggested_words(OpenSearchCluster& cluster, const TenantState& state,
                                                       const SuggestRequest& request, SteadyTime deadline) {
  auto wanted = words_wanted(state, request);
  if (!wanted) co_return std::vector<std::string>{};
  auto texts = co_await texts_of(cluster, state.tenant, std::move(wanted->query), kNewestWithIt, deadline);
  if (!texts) co_return fail(std::move(texts.error()));
  for (const std::string& text : *texts) wanted->words.add(text);
  std::vector<std::string> whole;
  for (const std::string& word : wanted->words.most_used(request.limit)) whole.push_back(wanted->before + word);
  co_return whole;
}

// Puts near words into the places of those that nothing in the scope has.
class Mending {
 public:
  Mending(OpenSearchCluster& cluster, const TenantState& state, const SearchScope& scope)
      : cluster_(cluster), state_(state), scope_(scope) {}

  Task<Result<std::string>> mend(const Phrase& phrase, SteadyTime deadline) {
    std::string text = phrase.text;
    for (const TypedWord& word : words_to_mend(phrase)) {
      if (tried_ >= kMaxWordsMended) break;
      ++tried_;
      auto present = co_await texts_of(cluster_, state_.tenant,
                                       make_query(state_, scope_, one_phrase({.text = word.term})), 1, deadline);
      if (!present) co_return fail(std::move(present.error()));
      if (!present->empty()) continue;
      if (auto read = co_await read_words(deadline); !read) co_return fail(std::move(read.error()));
      if (const auto near = words_->nearest(word.term)) {
        text.replace(word.begin, word.end - word.begin, *near);
        mended = true;
      }
    }
    co_return text;
  }
  bool mended = false;

 private:
  Task<Result<>> read_words(SteadyTime deadline) {
    if (words_) co_return Result<>{};
    auto texts = co_await texts_of(cluster_, state_.tenant, make_query_of_scope(state_, scope_), kNewest, deadline);
    if (!texts) co_return fail(std::move(texts.error()));
    words_.emplace();
    for (const std::string& text : *texts) words_->add(text);
    co_return Result<>{};
  }

  OpenSearchCluster& cluster_;
  const TenantState& state_;
  const SearchScope& scope_;
  std::size_t tried_ = 0;
  std::optional<WordCounts> words_;
};

}  // namespace

Task<Result<std::vector<Suggestion>>> suggestions(OpenSearchCluster& cluster, SuggestRequest request,
                                                  SteadyTime deadline) {
  if (auto fits = check_scope(request.scope); !fits) co_return fail(std::move(fits.error()));
  if (auto valid = check_typed(request.prefix); !valid) co_return fail(std::move(valid.error()));
  if (auto valid = check_limit(request.limit); !valid) co_return fail(std::move(valid.error()));
  auto view = co_await view_of(cluster, request.scope.tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  if (!view->state) co_return std::vector<Suggestion>{};
  const TenantState& state = *view->state;
  auto words = co_await suggested_words(cluster, state, request, deadline);
  if (!words) co_return fail(std::move(words.error()));
  auto rooms = co_await suggest_conversations(cluster, state, request.scope, request.prefix, request.limit, deadline);
  if (!rooms) co_return rooms;
  auto people = co_await suggest_users(cluster, state, request.prefix, request.limit, deadline);
  if (!people) co_return people;
  co_return mix_suggestions(std::move(*words), std::move(*rooms), std::move(*people), request.limit);
}

Task<Result<std::optional<std::string>>> near_words(OpenSearchCluster& cluster, SearchScope scope, Query query,
                                                    SteadyTime deadline) {
  if (auto fits = check_scope(scope); !fits) co_return fail(std::move(fits.error()));
  auto view = co_await view_of(cluster, scope.tenant, deadline);
  if (!view) co_return fail(std::move(view.error()));
  if (!view->state) co_return std::optional<std::string>();
  Mending mending(cluster, *view->state, scope);
  std::string text;
  for (const Clause& clause : query.clauses) {
    std::string any;
    for (const Phrase& phrase : clause.any_of) {
      Result<std::string> words = phrase.text;
      if (!clause.excluded) words = co_await mending.mend(phrase, deadline);
      if (!words) co_return fail(std::move(words.error()));
      any += (any.empty() ? "" : " OR ") + as_typed(phrase, *words, clause.excluded);
    }
    text += (text.empty() ? "" : " ") + any;
  }
  co_return mending.mended ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace parley::search
