// Ranking of a window of matches by relevance, the same over every index: how rare a phrase is, is counted among the
// window, which holds what the caller may read and nothing else. Newer wins by up to a tenth. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace parley::search {

struct MatchedDocument {
  std::int64_t id = 0;  // the newer the larger
  std::string tally;    // a byte for each phrase that words are ranked by: how often it occurs
  double length = 1;    // of the text
  double score = 0;     // the ranking's
};

// `window` comes newest first and leaves best first.
void rank(std::vector<MatchedDocument>& window);

}  // namespace parley::search
