// Near words: what may have been meant by a mistyped word, out of texts that the caller may read. Pure; one thread.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "search/query.h"

namespace parley::search {

// The words of texts, and how often each was written.
class WordCounts {
 public:
  void add(std::string_view text);
  // Of the nearest ones the most used, then the first by its bytes; none when nothing is near enough.
  std::optional<std::string> nearest(const std::string& term) const;

 private:
  std::unordered_map<std::string, int> counts_;
};

// One word of a phrase as it was typed.
struct TypedWord {
  std::string term;
  std::size_t begin;
  std::size_t end;
};
// Those that may be mistyped, the last first; not one that goes on.
std::vector<TypedWord> words_to_mend(const Phrase& phrase);

// A phrase of the query with another text, as it could be typed.
std::string as_typed(const Phrase& phrase, const std::string& text, bool excluded);

inline constexpr std::size_t kMaxWordsMended = 8;  // of a query

}  // namespace parley::search
