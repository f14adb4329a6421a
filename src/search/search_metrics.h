// SearchMetrics: what the search routes tell of themselves. One per service; the series may be set from any thread.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>

#include "telemetry/metrics.h"

namespace parley::search {

enum class SearchKind : std::uint8_t { kMessages, kConversations, kUsers, kGlobal, kSuggestions };
inline constexpr std::size_t kSearchKinds = 5;

class SearchMetrics {
 public:
  explicit SearchMetrics(Metrics& metrics);

  void answered(SearchKind kind, std::chrono::nanoseconds duration);
  void looked_in_cache(bool hit) { (hit ? cache_hits_ : cache_misses_).Increment(); }
  void left_out(std::size_t hits) { left_out_.Increment(static_cast<double>(hits)); }
  void found_near_words() { near_words_.Increment(); }
  void recent_was_lost() { recent_lost_.Increment(); }
  void was_behind() { behind_.Increment(); }

 private:
  std::array<Histogram*, kSearchKinds> durations_{};
  Counter& cache_hits_;
  Counter& cache_misses_;
  Counter& left_out_;
  Counter& near_words_;
  Counter& recent_lost_;
  Counter& behind_;
};

}  // namespace parley::search
