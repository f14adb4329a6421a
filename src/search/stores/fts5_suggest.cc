#include "search/stores/fts5_suggest.h"

#include <algorithm>

#include "search/index_requests.h"
#include "search/query_parser.h"
#include "search/stores/fts5_directory.h"
#include "search/stores/fts5_matches.h"
#include "search/stores/fts5_search.h"
#include "search/text/word_completions.h"

namespace parley::search {

namespace {

constexpr std::size_t kNewest = 1500;     // messages of the scope, of those conversations that it names first
constexpr std::size_t kLookedInto = 100;  // conversations
constexpr std::size_t kEnoughUses = 50;   // of words that begin so among them; with fewer, the index is asked
// Once so much is typed: shorter beginnings are those of so many words that FTS5 would read much of all that there is.
constexpr std::size_t kAskedFromCharacters = 4;
constexpr std::size_t kMessagesAsked = 200;
constexpr std::size_t kNewestWithOthers = 500;  // messages that have the other words that were typed

void add_matching_texts(sqlite::Connection& db, const SearchScope& scope, Phrase phrase, WordCompletions& words) {
  Query query;
  query.clauses.push_back({.any_of = {std::move(phrase)}});
  if (auto expression = make_expression(db, scope, query)) {
    for_each_text(db, std::move(*expression), query, kMessagesAsked, [&](std::string_view text) { words.add(text); });
  }
}

SearchScope first_of(const SearchScope& scope) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(scope.conversations.size(), kLookedInto));
  return {scope.tenant, scope.caller, {scope.conversations.begin(), scope.conversations.begin() + count}};
}

// Of several words the last is completed, as the newest messages have it that have the others too. FTS5 is asked for
// these alone: what is typed last is looked for in the texts.
std::vector<std::string> suggested_last_words(sqlite::Connection& db, const SuggestRequest& request,
                                              const TypedText& typed) {
  WordCompletions words(typed.last);
  auto others = parse_query(typed.before);
  if (!words.possible() || !others) return {};
  for (auto* const names : {&others->from, &others->in, &others->none_of.from, &others->none_of.in}) names->clear();
  const bool any = !others->clauses.empty() || others->has_filter();
  auto expression =
      any ? make_expression(db, request.scope, *others) : make_expression_of_scope(db, first_of(request.scope));
  if (!expression) return {};
  for_each_text(db, std::move(*expression), *others, kNewestWithOthers,
                [&words](std::string_view text) { words.add(text); });
  std::vector<std::string> whole;
  for (const std::string& word : words.most_used(request.limit)) whole.push_back(std::string(typed.before) + word);
  return whole;
}

std::vector<std::string> suggested_words(sqlite::Connection& db, const SuggestRequest& request) {
  const TypedText typed = split_typed(request.prefix);
  if (!typed.before.empty()) return suggested_last_words(db, request, typed);
  WordCompletions words(request.prefix);
  if (!words.possible()) return {};
  if (words.is_unspaced()) {  // its characters and pairs are terms, so that no prefix is needed
    add_matching_texts(db, request.scope, {.text = request.prefix, .exact = true}, words);
    return words.most_used(request.limit);
  }
  bool all_read = true;
  if (auto expression = make_expression_of_scope(db, first_of(request.scope))) {
    const std::size_t read =
        for_each_text(db, std::move(*expression), {}, kNewest, [&](std::string_view text) { words.add(text); });
    all_read = read < kNewest;
  }
  all_read = all_read && request.scope.conversations.size() <= kLookedInto;
  auto newest = words.most_used(request.limit);
  const bool enough = all_read || words.uses() >= kEnoughUses || newest.size() == request.limit;
  if (enough || words.typed_characters() < kAskedFromCharacters) return newest;
  WordCompletions older(request.prefix);  // and newer: these are among them
  add_matching_texts(db, request.scope, {.text = request.prefix, .exact = true, .prefix = true}, older);
  return older.most_used(request.limit);
}

}  // namespace

Result<std::vector<Suggestion>> suggestions(sqlite::Connection& db, const SuggestRequest& request) {
  if (auto fits = check_scope(request.scope); !fits) return fail(fits.error());
  if (auto valid = check_typed(request.prefix); !valid) return fail(valid.error());
  if (auto valid = check_limit(request.limit); !valid) return fail(valid.error());
  return mix_suggestions(suggested_words(db, request),
                         suggest_conversations(db, request.scope, request.prefix, request.limit),
                         suggest_users(db, request.scope.tenant, request.prefix, request.limit), request.limit);
}

}  // namespace parley::search
