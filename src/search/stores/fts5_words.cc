#include "search/stores/fts5_words.h"

#include "search/index_requests.h"
#include "search/stores/fts5_matches.h"
#include "search/text/near_words.h"

namespace parley::search {

namespace {

constexpr std::size_t kNewest = 1500;  // messages of the scope

Query one_phrase(Phrase phrase) {
  Query query;
  query.clauses.push_back({.any_of = {std::move(phrase)}});
  return query;
}

// Puts near words into the places of those that nothing in the scope has.
class Mending {
 public:
  Mending(sqlite::Connection& db, const SearchScope& scope) : db_(db), scope_(scope) {}

  // The phrase's text with its words mended.
  std::string mend(const Phrase& phrase) {
    std::string text = phrase.text;
    for (const TypedWord& word : words_to_mend(phrase)) {
      if (tried_ >= kMaxWordsMended) break;
      ++tried_;
      if (is_found(word.term)) continue;
      if (const auto near = nearest(word.term)) {
        text.replace(word.begin, word.end - word.begin, *near);
        mended = true;
      }
    }
    return text;
  }
  bool mended = false;

 private:
  bool is_found(const std::string& term) {
    const Query query = one_phrase({.text = term});
    auto expression = make_expression(db_, scope_, query);
    return expression && !Matches(db_, std::move(*expression), query).below(INT64_MAX, 1, false).empty();
  }
  std::optional<std::string> nearest(const std::string& term) {
    if (!words_) {
      words_.emplace();
      if (auto everything = make_expression_of_scope(db_, scope_)) {
        for_each_text(db_, std::move(*everything), {}, kNewest, [&](std::string_view text) { words_->add(text); });
      }
    }
    return words_->nearest(term);
  }

  sqlite::Connection& db_;
  const SearchScope& scope_;
  std::size_t tried_ = 0;
  std::optional<WordCounts> words_;
};

}  // namespace

Result<std::optional<std::string>> near_words(sqlite::Connection& db, const NearWordsRequest& request) {
  if (auto fits = check_scope(request.scope); !fits) return fail(fits.error());
  Mending mending(db, request.scope);
  std::string text;
  for (const Clause& clause : request.query.clauses) {
    std::string any;
    for (const Phrase& phrase : clause.any_of) {
      const std::string words = clause.excluded ? phrase.text : mending.mend(phrase);
      any += (any.empty() ? "" : " OR ") + as_typed(phrase, words, clause.excluded);
    }
    text += (text.empty() ? "" : " ") + any;
  }
  return mending.mended ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace parley::search
