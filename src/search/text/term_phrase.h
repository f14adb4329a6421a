// TermPhrase: what a phrase of a query looks for in an index, after analysis. PhraseCounts finds the same in a text,
// for an index whose engine cannot say it. Pure; any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "search/query.h"

namespace parley::search {

// Terms at following places.
struct TermPhrase {
  std::vector<std::string> terms;  // at least one
  bool goes_on = false;            // the last one is the beginning of a term
  bool operator==(const TermPhrase&) const = default;
};

// What the clause's phrases look for, any of it; empty when none of them can be found. A stem is a phrase of its own.
std::vector<TermPhrase> phrases_of(const Clause& clause);

class PhraseCounts {
 public:
  explicit PhraseCounts(const std::vector<TermPhrase>& phrases);

  // How often each phrase occurs in the text, a byte for each, at most 255.
  std::string tally(std::string_view text) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  class Sink;

  // Terms and beginnings are numbered; a phrase is a run of such numbers.
  std::size_t number_of(const std::string& term);
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> terms_;
  std::vector<std::pair<std::string, std::size_t>> beginnings_;
  std::size_t numbers_ = 0;
  std::vector<std::vector<std::size_t>> phrases_;
};

}  // namespace parley::search
