// What of a text can be found, and what a typed word looks for; both come from one cut into pieces, so that they agree.
//
// Spaced scripts give folded words; Han, kana, Hangul, Thai, Lao, Khmer and Burmese, written without spaces, give each
// character and each pair. Words are cut at every joiner, so the parts of apt-get, /etc/fstab, foo_bar, and of URLs are
// words at following places, and a typed identifier is a phrase. getUserById also gives its parts, don't also dont, and
// an ASCII word its English stem, all at the place of the word. Cost is bounded by kMaxTextBytes and kMaxTokens; what
// lies beyond is not found. Pure; any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace parley::search {

inline constexpr std::size_t kMaxTextBytes = 64 * 1024;
inline constexpr std::size_t kMaxTokens = 16 * 1024;
inline constexpr std::size_t kMaxTermBytes = 64;

class TokenSink {
 public:
  virtual ~TokenSink() = default;
  // One term at bytes [begin, end) of the text; `same_place` says that it stands where the term before it does. False
  // ends the analysis.
  virtual bool on_token(std::string_view term, std::size_t begin, std::size_t end, bool same_place) = 0;
};

void analyze(std::string_view text, TokenSink& sink);

// Terms at following places. Each place lists the terms of which any will do.
using TermSequence = std::vector<std::vector<std::string>>;

enum class Match { kAlsoStem, kExact };
// Empty when there is nothing in `text` that could be found. At most `most` places.
TermSequence terms_to_find(std::string_view text, Match match, std::size_t most);

std::size_t count_characters(std::string_view utf8);
// Whether `term` may be looked for as the beginning of words. One character would be that of half of all there is: it
// stands for itself alone.
bool may_go_on(std::string_view term);

// Whether `text` is characters of scripts written without spaces, one after the other, and nothing else.
bool is_unspaced_run(std::string_view text);

}  // namespace parley::search
