// Finding conversations and people by what they are called, while the name is being typed: every typed word begins a
// word of the name, in any order, by the same analysis that messages get. NameTerms is what a name can be found by,
// NameQuery what was typed, fit() how well they go together. Pure values; any thread.
#pragma once
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "search/query.h"

namespace parley::search {

// A name as a whole: folded, single spaces, without the # or @ that people write before it, cut at kMaxSpellingBytes.
std::string spelling_of(std::string_view name);
inline constexpr std::size_t kMaxSpellingBytes = 256;

// Texts one to a line, sorted, each once, with a line break before the first and after the last; empty when there are
// none. So an index keeps them, and a search for "\n" + prefix finds the first that begins so.
using Lines = std::string;
Lines spelling_lines(std::initializer_list<std::string_view> names);
// The terms of `texts`; what lies beyond kMaxNameTerms is not found.
Lines term_lines(std::initializer_list<std::string_view> texts);
inline constexpr std::size_t kMaxNameTerms = 64;
// The lines without their breaks.
std::vector<std::string_view> split_lines(std::string_view lines);

struct NameTerms {
  std::string_view spellings;    // lines
  std::string_view terms;        // lines; of the names
  std::string_view topic_terms;  // lines; found when the names alone do not have all that was typed
};

struct NameQuery {
  std::string whole;               // as spelling_of() gives it
  std::vector<std::string> words;  // terms, distinct
  std::string driver;              // the longest of them: the rarest, most likely

  bool empty() const { return whole.empty(); }
  // For highlight().
  Query as_query() const;
};
// At most kMaxPhrases words.
NameQuery make_name_query(std::string_view typed);

enum class NameFit { kExact, kBegins, kWords, kTopic };  // best first

struct FittingName {
  NameFit fit = NameFit::kExact;
  std::string_view by;  // the first spelling that begins as typed, or else the first term that the longest word begins
};
std::optional<FittingName> fit(const NameQuery& query, const NameTerms& name);

}  // namespace parley::search
