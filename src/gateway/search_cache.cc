#include "gateway/search_cache.h"

#include <algorithm>
#include <array>
#include <functional>
#include <list>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace parley::gateway {

namespace {

constexpr std::size_t kParts = 16;
// What an entry costs besides its texts: list node, map node, counts, the allocator's own.
constexpr std::size_t kEntryOverhead = 384;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using Waiting = std::vector<OneShotPromise<KeptAnswer>>;

}  // namespace

// A question under way. Its part's lock guards it.
struct SearchCache::Flight {
  std::uint64_t epoch = 0;
  Waiting waiting;
};

// Outlives the cache where a request still holds its Lead when the process ends.
struct SearchCache::Core {
  struct Entry {
    std::string key;
    KeptAnswer answer;
    std::size_t bytes = 0;
  };
  struct Part {
    std::mutex mutex;
    std::list<Entry> entries;  // the last used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;
    std::unordered_map<std::string, std::shared_ptr<Flight>, TextHash, std::equal_to<>> flights;
    std::size_t bytes = 0;
    bool closed = false;
  };

  explicit Core(Limits given) : limits(given) {}

  Part& part_of(std::string_view key) { return parts[TextHash()(key) % kParts]; }
  std::size_t part_bytes() const { return limits.bytes / kParts; }
  std::size_t part_entries() const { return std::max<std::size_t>(limits.entries / kParts, 1); }

  // These three under the part's lock.
  KeptAnswer take(Part& part, std::string_view key, std::uint64_t epoch, SteadyTime now);
  void keep(Part& part, const std::string& key, const KeptAnswer& answer);
  void remove(Part& part, std::list<Entry>::iterator entry);

  void finish(const std::string& key, const std::shared_ptr<Flight>& flight, const KeptAnswer& answer, bool keep_it);
  void close();

  const Limits limits;
  std::array<Part, kParts> parts;
  std::atomic<std::size_t> entries{0};
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::uint64_t> evicted{0};
  std::atomic<std::uint64_t> outdated{0};
};

KeptAnswer SearchCache::Core::take(Part& part, std::string_view key, std::uint64_t epoch, SteadyTime now) {
  const auto found = part.by_key.find(key);
  if (found == part.by_key.end()) return nullptr;
  const auto entry = found->second;
  // Not below: another loop may have seen a change, and asked after it, a moment before this one looked.
  if (entry->answer->epoch >= epoch && now - entry->answer->asked_at < limits.ttl) {
    part.entries.splice(part.entries.begin(), part.entries, entry);
    return entry->answer;
  }
  outdated.fetch_add(1, std::memory_order_relaxed);
  remove(part, entry);
  return nullptr;
}

void SearchCache::Core::keep(Part& part, const std::string& key, const KeptAnswer& answer) {
  const std::size_t size =
      key.size() + answer->body.size() + answer->content_type.size() + answer->cache_control.size() + kEntryOverhead;
  if (part.closed || size > part_bytes()) return;
  if (const auto found = part.by_key.find(key); found != part.by_key.end()) {
    if (found->second->answer->epoch > answer->epoch) return;
    remove(part, found->second);
  }
  while (!part.entries.empty() && (part.bytes + size > part_bytes() || part.entries.size() >= part_entries())) {
    evicted.fetch_add(1, std::memory_order_relaxed);
    remove(part, std::prev(part.entries.end()));
  }
  part.entries.push_front({key, answer, size});
  part.by_key.emplace(part.entries.front().key, part.entries.begin());
  part.bytes += size;
  bytes.fetch_add(size, std::memory_order_relaxed);
  entries.fetch_add(1, std::memory_order_relaxed);
}

void SearchCache::Core::remove(Part& part, std::list<Entry>::iterator entry) {
  part.bytes -= entry->bytes;
  bytes.fetch_sub(entry->bytes, std::memory_order_relaxed);
  entries.fetch_sub(1, std::memory_order_relaxed);
  part.by_key.erase(entry->key);
  part.entries.erase(entry);
}

void SearchCache::Core::finish(const std::string& key, const std::shared_ptr<Flight>& flight, const KeptAnswer& answer,
                               bool keep_it) {
  Waiting waiting;
  {
    Part& part = part_of(key);
    const std::lock_guard lock(part.mutex);
    waiting.swap(flight->waiting);
    // A later question may have taken its place.
    if (const auto found = part.flights.find(key); found != part.flights.end() && found->second == flight) {
      part.flights.erase(found);
    }
    if (answer && keep_it) keep(part, key, answer);
  }
  if (!answer) return;  // the promises, destroyed, say so
  for (OneShotPromise<KeptAnswer>& one : waiting) one.deliver(answer);
}

void SearchCache::Core::close() {
  for (Part& part : parts) {
    std::vector<Waiting> dropped;
    const std::lock_guard lock(part.mutex);
    part.closed = true;
    for (auto& [key, flight] : part.flights) dropped.push_back(std::exchange(flight->waiting, {}));
    part.flights.clear();
  }
}

SearchCache::SearchCache(Limits limits) : core_(std::make_shared<Core>(limits)) {}

SearchCache::~SearchCache() {
  core_->close();
}

SearchCache::Found SearchCache::find(std::string_view key, std::uint64_t epoch, SteadyTime now) {
  Core::Part& part = core_->part_of(key);
  const std::lock_guard lock(part.mutex);
  if (KeptAnswer kept = core_->take(part, key, epoch, now)) return kept;
  if (const auto under_way = part.flights.find(key); under_way != part.flights.end()) {
    Flight& flight = *under_way->second;
    if (flight.epoch >= epoch) {
      if (flight.waiting.size() >= core_->limits.waiting) return Alone{};
      auto [promise, future] = make_one_shot<KeptAnswer>(EventLoop::current());
      flight.waiting.push_back(std::move(promise));
      return std::move(future);
    }
  }
  if (part.closed) return Alone{};
  auto flight = std::make_shared<Flight>(epoch);
  part.flights.insert_or_assign(std::string(key), flight);
  return Lead(core_, std::string(key), std::move(flight));
}

std::size_t SearchCache::largest_answer() const {
  return std::min(core_->limits.answer_bytes, core_->part_bytes());
}

SearchCache::Counts SearchCache::counts() const {
  return {core_->entries.load(std::memory_order_relaxed), core_->bytes.load(std::memory_order_relaxed),
          core_->evicted.load(std::memory_order_relaxed), core_->outdated.load(std::memory_order_relaxed)};
}

SearchCache::Lead::Lead(std::shared_ptr<Core> core, std::string key, std::shared_ptr<Flight> flight)
    : core_(std::move(core)), key_(std::move(key)), flight_(std::move(flight)) {}

SearchCache::Lead::~Lead() {
  if (flight_) core_->finish(key_, flight_, nullptr, false);
}

void SearchCache::Lead::publish(KeptAnswer answer, bool keep) {
  core_->finish(key_, std::exchange(flight_, nullptr), answer, keep);
}

}  // namespace parley::gateway
