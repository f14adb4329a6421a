#include "gateway/search_cache.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "cache/lru_map.h"

namespace parley::gateway {

namespace {

constexpr std::size_t kParts = 16;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

using Waiting = std::vector<OneShotPromise<KeptAnswer>>;

std::size_t size_of(const CachedAnswer& answer) {
  return sizeof answer + answer.body.size() + answer.content_type.size() + answer.cache_control.size();
}

}  // namespace

// A question under way. Its part's lock guards it.
struct SearchCache::Flight {
  std::uint64_t epoch = 0;
  Waiting waiting;
};

// Outlives the cache where a request still holds its Lead when the process ends.
struct SearchCache::Core {
  struct Part {
    Part(std::size_t entries, std::size_t bytes) : answers(entries, bytes) {}
    std::mutex mutex;
    cache::LruMap<KeptAnswer> answers;
    std::unordered_map<std::string, std::shared_ptr<Flight>, TextHash, std::equal_to<>> flights;
    std::uint64_t evicted = 0;
    std::uint64_t outdated = 0;
    bool closed = false;
  };

  explicit Core(Limits given) : limits(given) {
    const std::size_t entries = std::max<std::size_t>(limits.entries / kParts, 1);
    for (std::size_t i = 0; i < kParts; ++i) parts.emplace_back(entries, part_bytes());
  }

  Part& part_of(std::string_view key) { return parts[TextHash()(key) % kParts]; }
  std::size_t part_bytes() const { return limits.bytes / kParts; }

  // Both under the part's lock.
  KeptAnswer take(Part& part, std::string_view key, std::uint64_t epoch, SteadyTime now) const;
  static void keep(Part& part, const std::string& key, const KeptAnswer& answer);

  void finish(const std::string& key, const std::shared_ptr<Flight>& flight, const KeptAnswer& answer, bool keep_it);
  void close();

  const Limits limits;
  std::deque<Part> parts;  // a Part stays where it is
};

KeptAnswer SearchCache::Core::take(Part& part, std::string_view key, std::uint64_t epoch, SteadyTime now) const {
  const KeptAnswer* const found = part.answers.find(key);
  if (found == nullptr) return nullptr;
  // Not below: another loop may have seen a change, and asked after it, a moment before this one looked.
  if ((*found)->epoch >= epoch && now - (*found)->asked_at < limits.ttl) return *found;
  ++part.outdated;
  part.answers.erase(key);
  return nullptr;
}

void SearchCache::Core::keep(Part& part, const std::string& key, const KeptAnswer& answer) {
  if (part.closed) return;
  if (const KeptAnswer* const other = part.answers.find(key)) {
    if ((*other)->epoch > answer->epoch) return;
    part.answers.erase(key);
  }
  const std::size_t before = part.answers.size();
  part.answers.put(key, answer, size_of(*answer));
  if (part.answers.find(key) != nullptr) part.evicted += before + 1 - part.answers.size();
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
  Counts counts;
  for (Core::Part& part : core_->parts) {
    const std::lock_guard lock(part.mutex);
    counts.entries += part.answers.size();
    counts.bytes += part.answers.bytes();
    counts.evicted += part.evicted;
    counts.outdated += part.outdated;
  }
  return counts;
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
