#include "search/search_metrics.h"

namespace parley::search {

SearchMetrics::SearchMetrics(Metrics& metrics)
    : cache_hits_(metrics.counter("parley_search_cache_hits_total",
                                  "Pages that the index had found before and that were still good.")),
      cache_misses_(metrics.counter("parley_search_cache_misses_total", "Pages that the index was asked for.")),
      left_out_(metrics.counter("parley_search_hits_left_out_total",
                                "Hits that messaging no longer showed the caller, so that they were left out.")),
      near_words_(metrics.counter("parley_search_near_words_total",
                                  "Searches that matched nothing and were answered for near words.")),
      recent_lost_(metrics.counter("parley_search_recent_failures_total",
                                   "Searches that could not be kept among a user's recent ones.")),
      behind_(metrics.counter("parley_search_index_behind_total",
                              "Searches refused since the index did not reach min_position in time.")) {
  constexpr std::array<const char*, kSearchKinds> kNames{"messages", "conversations", "users", "global", "suggestions"};
  for (std::size_t i = 0; i < kSearchKinds; ++i) {
    durations_[i] =
        &metrics.histogram("parley_search_query_duration_seconds",
                           "Time to answer a search, with what messaging was asked for it", {{"kind", kNames[i]}});
  }
}

void SearchMetrics::answered(SearchKind kind, std::chrono::nanoseconds duration) {
  durations_[static_cast<std::size_t>(kind)]->Observe(std::chrono::duration<double>(duration).count());
}

}  // namespace parley::search
