#include "search/ranking.h"

#include <algorithm>
#include <cmath>

namespace parley::search {

// BM25 over the window.
void rank(std::vector<MatchedDocument>& window) {
  if (window.empty() || window.front().tally.empty()) return;
  constexpr double kSaturation = 1.2, kLengthWeight = 0.6, kNewnessWeight = 0.1;
  const auto count = static_cast<double>(window.size());
  double average = 0;
  std::vector<double> holders(window.front().tally.size(), 0);
  for (const MatchedDocument& match : window) {
    average += match.length / count;
    for (std::size_t i = 0; i < holders.size(); ++i) holders[i] += match.tally[i] != 0;
  }
  double place = 0;
  for (MatchedDocument& match : window) {
    const double damping = kSaturation * (1 - kLengthWeight + kLengthWeight * match.length / average);
    for (std::size_t i = 0; i < holders.size(); ++i) {
      const double times = static_cast<unsigned char>(match.tally[i]);
      const double rarity = std::log(2 + (count - holders[i]) / (holders[i] + 0.5));
      match.score += rarity * times * (kSaturation + 1) / (times + damping);
    }
    match.score *= 1 + kNewnessWeight * (1 - place++ / count);
  }
  std::ranges::sort(window, [](const MatchedDocument& a, const MatchedDocument& b) {
    return a.score != b.score ? a.score > b.score : a.id > b.id;
  });
}

}  // namespace parley::search
