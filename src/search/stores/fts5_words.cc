#include "search/stores/fts5_words.h"

#include <algorithm>
#include <unordered_map>

#include "search/query_parser.h"
#include "search/stores/fts5_matches.h"
#include "search/stores/fts5_search.h"
#include "search/text/analysis.h"
#include "search/text/edit_distance.h"

namespace parley::search {

namespace {

constexpr std::size_t kNewest = 1500;  // messages of the scope
constexpr std::size_t kMaxWordsMended = 8;

// Counts the words of texts.
class WordCounts final : public TokenSink {
 public:
  bool on_token(std::string_view term, std::size_t, std::size_t, bool same_place) override {
    // What shares a place is a stem or a part, which nobody wrote as a word.
    if (!same_place) ++counts_[std::string(term)];
    return true;
  }
  const std::unordered_map<std::string, int>& counts() const { return counts_; }

 private:
  std::unordered_map<std::string, int> counts_;
};

Query one_phrase(Phrase phrase) {
  Query query;
  query.clauses.push_back({.any_of = {std::move(phrase)}});
  return query;
}

// One word of the query as it was typed.
struct TypedWord {
  std::string term;
  std::size_t begin;
  std::size_t end;
};

class TypedWords final : public TokenSink {
 public:
  bool on_token(std::string_view term, std::size_t begin, std::size_t end, bool same_place) override {
    if (!same_place) words.push_back({std::string(term), begin, end});
    return true;
  }
  std::vector<TypedWord> words;
};

// Puts near words into the places of those that nothing in the scope has.
class Mending {
 public:
  Mending(sqlite::Connection& db, const SearchScope& scope) : db_(db), scope_(scope) {}

  // The phrase's text with its words mended.
  std::string mend(const Phrase& phrase) {
    TypedWords typed;
    analyze(phrase.text, typed);
    if (phrase.prefix && !typed.words.empty()) typed.words.pop_back();
    std::string text = phrase.text;
    for (auto word = typed.words.rbegin(); word != typed.words.rend(); ++word) {
      if (tried_ >= kMaxWordsMended || !can_be_mistyped(word->term)) continue;
      ++tried_;
      if (is_found(word->term)) continue;
      if (const auto near = nearest(word->term)) {
        text.replace(word->begin, word->end - word->begin, *near);
        mended = true;
      }
    }
    return text;
  }
  bool mended = false;

 private:
  static bool can_be_mistyped(std::string_view term) { return near_distance(term) > 0; }

  bool is_found(const std::string& term) {
    const Query query = one_phrase({.text = term});
    auto expression = make_expression(db_, scope_, query);
    return expression && !Matches(db_, std::move(*expression), query).below(INT64_MAX, 1, false).empty();
  }
  std::optional<std::string> nearest(const std::string& term) {
    if (!words_) {
      words_.emplace();
      if (auto everything = make_expression_of_scope(db_, scope_)) {
        for_each_text(db_, std::move(*everything), {}, kNewest, [&](std::string_view text) { analyze(text, *words_); });
      }
    }
    const std::pair<const std::string, int>* best = nullptr;
    std::size_t best_distance = near_distance(term);
    for (const auto& candidate : words_->counts()) {
      const std::size_t distance = edit_distance(term, candidate.first, best_distance + 1);
      if (distance > best_distance) continue;
      const bool better = !best || distance < best_distance || candidate.second > best->second ||
                          (candidate.second == best->second && candidate.first < best->first);
      if (!better) continue;
      best = &candidate;
      best_distance = distance;
    }
    return best ? std::optional(best->first) : std::nullopt;
  }

  sqlite::Connection& db_;
  const SearchScope& scope_;
  std::size_t tried_ = 0;
  std::optional<WordCounts> words_;
};

std::string as_typed(const Phrase& phrase, const std::string& text, bool excluded) {
  std::string out = excluded ? "-" : "";
  const bool quoted = phrase.exact || text.find(' ') != text.npos;
  out += quoted ? '"' + text + '"' : text;
  if (phrase.prefix) out += '*';
  return out;
}

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
