#include "search/text/word_completions.h"

#include <unicode/brkiter.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "search/text/analysis.h"
#include "search/text/fold.h"

namespace parley::search {

namespace {

constexpr std::size_t kMaxPlaces = 4096;     // of one text
constexpr std::size_t kMaxOccurrences = 16;  // in one text
constexpr std::size_t kContextBytes = 96;    // on either side: what a dictionary needs to tell words apart
constexpr std::size_t kMostCompletionBytes = 48;

bool inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (inside_character(text, most)) --most;
  return text.substr(0, most);
}

bool is_space(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

std::string_view without_spaces_around(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Finds where words end. Each thread has one: making it reads dictionaries.
class WordBreaks {
 public:
  static WordBreaks& of_this_thread() {
    thread_local WordBreaks breaks;
    return breaks;
  }
  ~WordBreaks() { utext_close(&text_); }
  WordBreaks(const WordBreaks&) = delete;
  WordBreaks& operator=(const WordBreaks&) = delete;

  // The end of the word of `text` that begins at `begin` and goes at least to `end`; none when no word begins there.
  std::optional<std::size_t> end_of_word(std::string_view text, std::size_t begin, std::size_t end) {
    if (!iterator_) return std::nullopt;
    std::size_t from = begin - std::min(begin, kContextBytes);
    while (inside_character(text, from)) ++from;
    const std::string_view part = cut(text.substr(from), end - from + kContextBytes);
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&text_, part.data(), static_cast<int64_t>(part.size()), &status);
    iterator_->setText(&text_, status);
    if (U_FAILURE(status) || !iterator_->isBoundary(static_cast<int32_t>(begin - from))) return std::nullopt;
    const int32_t boundary = iterator_->following(static_cast<int32_t>(end - from - 1));
    if (boundary == icu::BreakIterator::DONE) return std::nullopt;
    return from + static_cast<std::size_t>(boundary);
  }

 private:
  WordBreaks() {
    UErrorCode status = U_ZERO_ERROR;
    iterator_.reset(icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), status));
    if (U_FAILURE(status)) iterator_.reset();
  }

  UText text_ = UTEXT_INITIALIZER;
  std::unique_ptr<icu::BreakIterator> iterator_;
};

}  // namespace

TypedText split_typed(std::string_view typed) {
  constexpr std::string_view kWideSpace = "\u3000";
  typed = without_spaces_around(typed);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < typed.size(); ++at) {
    if (is_space(typed[at])) begin = at + 1;
    if (typed.substr(at).starts_with(kWideSpace)) begin = at + kWideSpace.size();
  }
  return {typed.substr(0, begin), typed.substr(begin)};
}

WordCompletions::WordCompletions(std::string_view typed) {
  typed = without_spaces_around(typed);
  unspaced_ = is_unspaced_run(typed);
  if (unspaced_) {
    typed_ = fold(cut(typed, kMostCompletionBytes));
    return;
  }
  const TermSequence places = terms_to_find(typed, Match::kExact, 2);
  if (places.size() == 1 && may_go_on(places.front().front())) typed_ = places.front().front();
}

std::size_t WordCompletions::typed_characters() const {
  return count_characters(typed_);
}

void WordCompletions::add(std::string_view text) {
  if (!possible()) return;
  if (unspaced_) {
    add_runs(fold(cut(text, kMostBytes)));
  } else {
    add_words(cut(text, kMostBytes));
  }
}

// Most texts can be told from their bytes alone.
bool WordCompletions::may_have_it(std::string_view text) const {
  if (!is_ascii(text) || text.contains('\'')) return true;
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return !std::ranges::search(text, typed_, {}, lower).empty();
}

void WordCompletions::count(std::string word) {
  ++uses_;
  ++counts_[std::move(word)];
}

void WordCompletions::add_words(std::string_view text) {
  if (!may_have_it(text)) return;
  for (auto& place : terms_to_find(text, Match::kExact, kMaxPlaces)) {
    if (place.front().starts_with(typed_)) count(std::move(place.front()));
  }
}

void WordCompletions::add_runs(std::string_view text) {
  std::size_t found = 0;
  for (std::size_t at = text.find(typed_); at != text.npos && found < kMaxOccurrences; ++found) {
    const std::size_t end = at + typed_.size();
    if (count_characters(typed_) >= 2) count(typed_);
    const auto word = WordBreaks::of_this_thread().end_of_word(text, at, end);
    if (word && *word > end && *word - at <= kMostCompletionBytes && is_unspaced_run(text.substr(at, *word - at))) {
      count(std::string(text.substr(at, *word - at)));
    }
    at = text.find(typed_, end);
  }
}

std::vector<std::string> WordCompletions::most_used(std::size_t most) const {
  std::vector<std::pair<std::string, int>> all(counts_.begin(), counts_.end());
  std::ranges::sort(
      all, [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  std::vector<std::string> words;
  for (std::size_t i = 0; i < std::min(most, all.size()); ++i) words.push_back(std::move(all[i].first));
  return words;
}

}  // namespace parley::search
