// Query: what a person looks for, after parsing. All clauses must hold; a clause holds when any of its phrases does (or
// none, when it is excluded). A value; no engine's terms.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace parley::search {

struct Phrase {
  std::string text;     // as typed
  bool exact = false;   // it stood in quotes: no stems
  bool prefix = false;  // its last word may go on
  bool operator==(const Phrase&) const = default;
};

struct Clause {
  std::vector<Phrase> any_of;
  bool excluded = false;
  bool operator==(const Clause&) const = default;
};

// The filters that stand behind a minus. Those of before: and after: bound the time like their opposites.
struct Exclusions {
  struct Span {
    WallTime begin{};
    WallTime end{};
    bool operator==(const Span&) const = default;
  };
  std::vector<std::string> from;
  std::vector<std::string> in;
  std::vector<Span> times;
  bool file = false;
  bool link = false;
  bool reaction = false;
  bool mention_of_me = false;
  bool operator==(const Exclusions&) const = default;
};

struct Query {
  std::vector<Clause> clauses;
  std::vector<std::string> from;  // user ids, or names that the service turns into ids; any of them
  std::vector<std::string> in;    // conversations, likewise
  std::optional<WallTime> not_before;
  std::optional<WallTime> before;
  bool has_file = false;
  bool has_link = false;
  bool has_reaction = false;
  bool mentions_me = false;
  Exclusions none_of;  // what must not hold
  bool operator==(const Query&) const = default;

  bool has_filter() const {
    return !from.empty() || !in.empty() || not_before || before || has_file || has_link || has_reaction ||
           mentions_me || none_of != Exclusions();
  }
};

}  // namespace parley::search
