// ResultCache: what the index found for one user's question a moment ago, so that the same question does not cost the
// index again. It holds what was found, never what is shown: each answer asks messaging anew what the caller may read,
// so that what was left, deleted or edited is right at once. An entry is good while the index has taken no further
// event, the caller is a member of the same conversations, and it is younger than kLife. Bounded; any thread.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/sha256.h"
#include "cache/lru_map.h"
#include "search/search_index.h"

namespace parley::search {

// `near_words`: what was searched instead, when nothing matched as typed.
struct FoundMessages {
  SearchPage page;
  std::optional<std::string> near_words;
};
using FoundEntries = DirectoryPage;

class ResultCache {
 public:
  using Found = std::variant<FoundMessages, FoundEntries>;

  static constexpr std::chrono::seconds kLife{5};
  static constexpr std::size_t kMostEntries = 4096;
  static constexpr std::size_t kMostBytes = 32 * 1024 * 1024;

  // What an entry's goodness hangs on.
  struct State {
    Sha256 scope{};               // see digest_of()
    events::LogOffset through{};  // of the index, from before it was asked
    SteadyTime now{};
  };
  static Sha256 digest_of(const std::vector<ConversationId>& conversations);

  ResultCache();

  // Null when there is none that is good.
  std::shared_ptr<const Found> find(const std::string& key, const State& state);
  void put(std::string key, const State& state, std::shared_ptr<const Found> found);

 private:
  static constexpr std::size_t kShards = 8;
  struct Entry {
    State state;
    std::shared_ptr<const Found> found;
  };
  struct Shard {
    std::mutex mutex;
    cache::LruMap<Entry> entries{kMostEntries / kShards, kMostBytes / kShards};
  };
  Shard& shard_of(const std::string& key) { return shards_[std::hash<std::string>()(key) % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace parley::search
