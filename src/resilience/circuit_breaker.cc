#include "resilience/circuit_breaker.h"

#include <algorithm>

#include "base/check.h"

namespace parley {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

// A bucket of one shard in one word, so that counting and starting a new bucket are one compare-and-swap: the tick it
// counts (24 bits), successes and failures (20 bits each; when one is full, both are halved, which keeps their share).
constexpr std::uint64_t kCountMask = (1u << 20) - 1;
constexpr std::uint64_t kTickMask = (1u << 24) - 1;

std::uint64_t tick_of(std::uint64_t bucket) {
  return bucket >> 40;
}
std::uint64_t successes_of(std::uint64_t bucket) {
  return bucket >> 20 & kCountMask;
}
std::uint64_t failures_of(std::uint64_t bucket) {
  return bucket & kCountMask;
}

std::uint64_t halved(std::uint64_t bucket) {
  return tick_of(bucket) << 40 | successes_of(bucket) / 2 << 20 | failures_of(bucket) / 2;
}

std::size_t shard_of_this_thread(std::size_t shards) {
  static std::atomic<std::size_t> threads{0};
  static constinit thread_local std::size_t mine = SIZE_MAX;
  if (mine == SIZE_MAX) [[unlikely]]
    mine = threads.fetch_add(1, std::memory_order_relaxed);
  return mine % shards;
}

milliseconds rounded_up(std::int64_t ns) {
  return std::chrono::ceil<milliseconds>(nanoseconds(ns));
}

}  // namespace

std::string_view to_string(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half_open";
  }
  return "unknown";
}

CircuitBreaker::CircuitBreaker(CircuitBreakerSettings settings, const Clock& clock, Observer observer)
    : settings_(settings),
      clock_(clock),
      observer_(std::move(observer)),
      bucket_ns_(duration_cast<nanoseconds>(settings.window).count() / static_cast<std::int64_t>(kBuckets)) {
  CHECK(settings.window >= milliseconds(10));
  CHECK(settings.volume_threshold >= 1);
  CHECK(settings.error_share > 0 && settings.error_share <= 1);
  CHECK(settings.open_time >= milliseconds(1));
  CHECK(settings.half_open_probes >= 1);
}

void CircuitBreaker::Permit::finish(Outcome outcome) {
  CHECK(breaker_ != nullptr);
  CircuitBreaker* const breaker = std::exchange(breaker_, nullptr);
  if (probe_) return breaker->finish_probe(word_, outcome);
  breaker->record(word_, outcome == Outcome::kFailure);
}

std::int64_t CircuitBreaker::now_ns() const {
  return duration_cast<nanoseconds>(clock_.steady_now().time_since_epoch()).count();
}

void CircuitBreaker::record(std::uint64_t word, bool failed) {
  if (word_.load(std::memory_order_relaxed) != word) return;
  const std::int64_t now = now_ns();
  const auto tick = static_cast<std::uint64_t>(now / bucket_ns_);
  auto& bucket = shards_[shard_of_this_thread(kShards)].buckets[tick % kBuckets];
  std::uint64_t before = bucket.load(std::memory_order_relaxed);
  std::uint64_t after;
  do {
    after = tick_of(before) == (tick & kTickMask) ? before : (tick & kTickMask) << 40;
    if (failures_of(after) == kCountMask || successes_of(after) == kCountMask) [[unlikely]]
      after = halved(after);
    after += failed ? 1 : 1 << 20;
  } while (!bucket.compare_exchange_weak(before, after, std::memory_order_relaxed));
  if (!failed) return;

  const Sums window = sums(now);
  if (window.outcomes < settings_.volume_threshold) return;
  if (static_cast<double>(window.failures) < settings_.error_share * static_cast<double>(window.outcomes)) return;
  const std::lock_guard lock(mutex_);
  if (word_.load(std::memory_order_relaxed) == word) change_to(BreakerState::kOpen, now);
}

CircuitBreaker::Sums CircuitBreaker::sums(std::int64_t now) const {
  const auto tick = static_cast<std::uint64_t>(now / bucket_ns_);
  Sums total;
  for (const Shard& shard : shards_) {
    for (const auto& slot : shard.buckets) {
      const std::uint64_t bucket = slot.load(std::memory_order_relaxed);
      if (((tick - tick_of(bucket)) & kTickMask) >= kBuckets) continue;
      total.outcomes += successes_of(bucket) + failures_of(bucket);
      total.failures += failures_of(bucket);
    }
  }
  return total;
}

std::optional<CircuitBreaker::Denied> CircuitBreaker::would_deny() const {
  if (state() != BreakerState::kOpen) [[likely]]
    return std::nullopt;
  const std::int64_t left = open_until_ns_.load(std::memory_order_acquire) - now_ns();
  if (left <= 0) return std::nullopt;
  return Denied{rounded_up(left)};
}

std::expected<CircuitBreaker::Permit, CircuitBreaker::Denied> CircuitBreaker::acquire_slow() {
  if (const std::optional<Denied> denied = would_deny()) return std::unexpected(*denied);  // without the lock

  const std::int64_t now = now_ns();
  const std::lock_guard lock(mutex_);
  if (state() == BreakerState::kOpen) {
    const std::int64_t open_until = open_until_ns_.load(std::memory_order_relaxed);
    if (now < open_until) return std::unexpected(Denied{rounded_up(open_until - now)});
    change_to(BreakerState::kHalfOpen, now);
  }
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  if (state_of(word) == BreakerState::kClosed) return Permit(this, word, false);
  // All probes are out: their outcome is what to wait for, and no one knows when it comes.
  if (probes_in_flight_ >= settings_.half_open_probes) {
    return std::unexpected(Denied{std::min<milliseconds>(settings_.open_time, milliseconds(1'000))});
  }
  ++probes_in_flight_;
  return Permit(this, word, true);
}

void CircuitBreaker::finish_probe(std::uint64_t word, Permit::Outcome outcome) {
  const std::int64_t now = now_ns();
  const std::lock_guard lock(mutex_);
  --probes_in_flight_;
  if (word_.load(std::memory_order_relaxed) != word) return;
  if (outcome == Permit::Outcome::kFailure) return change_to(BreakerState::kOpen, now);
  if (outcome == Permit::Outcome::kSuccess && ++probe_successes_ >= settings_.half_open_probes) {
    change_to(BreakerState::kClosed, now);
  }
}

void CircuitBreaker::change_to(BreakerState to, std::int64_t now) {
  const std::uint64_t word = word_.load(std::memory_order_relaxed);
  const Sums window = sums(now);
  if (to == BreakerState::kOpen) {
    open_until_ns_.store(now + duration_cast<nanoseconds>(settings_.open_time).count(), std::memory_order_release);
  }
  if (to == BreakerState::kHalfOpen) probe_successes_ = 0;
  if (to == BreakerState::kClosed) {
    // What led to the last opening must not lead to the next.
    for (Shard& shard : shards_) {
      for (auto& bucket : shard.buckets) bucket.store(0, std::memory_order_relaxed);
    }
  }
  word_.store(((word >> 2) + 1) << 2 | static_cast<std::uint64_t>(to), std::memory_order_release);
  if (observer_) observer_({state_of(word), to, window.outcomes, window.failures});
}

BreakerSnapshot CircuitBreaker::snapshot() const {
  const std::int64_t now = now_ns();
  const BreakerState current = state();
  const Sums window = sums(now);
  milliseconds retry_after{0};
  if (current == BreakerState::kOpen) {
    retry_after = rounded_up(std::max<std::int64_t>(0, open_until_ns_.load(std::memory_order_acquire) - now));
  }
  return {current, window.outcomes, window.failures, retry_after};
}

}  // namespace parley
