// CircuitBreaker: stops asking an upstream that keeps failing, and lets a few probes through to see whether it is back.
// One per upstream, owned by whoever wraps that upstream, used from all loops at once; every method from any thread.
// Closed, a call costs one shared read to enter and one write to a line of its own thread to leave. acquire() answers a
// Permit, or how long to stay away.
//
// Closed → open: at least `volume_threshold` outcomes in the window, `error_share` of them failures; looked at on a
// failure. Open → half-open: by the first acquire() after `open_time`. Half-open → closed: `half_open_probes`
// successes; → open: one failure. Outcomes of permits given before a change of state count for nothing after it.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace parley {

enum class BreakerState : std::uint8_t { kClosed, kOpen, kHalfOpen };
std::string_view to_string(BreakerState state);  // "closed", "open", "half_open"

struct CircuitBreakerSettings {
  std::chrono::milliseconds window{10'000};    // ≥ 10 ms; rolls in tenths
  std::uint64_t volume_threshold = 20;         // ≥ 1
  double error_share = 0.5;                    // in (0, 1]
  std::chrono::milliseconds open_time{5'000};  // ≥ 1 ms
  std::uint32_t half_open_probes = 3;          // ≥ 1: at once in flight, and successes that close
};

struct BreakerChange {
  BreakerState from;
  BreakerState to;
  std::uint64_t outcomes;  // in the window when it changed
  std::uint64_t failures;
};

struct BreakerSnapshot {
  BreakerState state;
  std::uint64_t outcomes;
  std::uint64_t failures;
  std::chrono::milliseconds retry_after;  // 0 unless open
};

class CircuitBreaker {
 public:
  // Called for each change, in order, on the thread that caused it and under the breaker's lock: it may call state()
  // and snapshot(), not acquire(), and must not wait.
  using Observer = std::function<void(const BreakerChange&)>;

  // One call's leave to go. Exactly one of success() and failure() tells how it ended; destroyed without either, the
  // call counts for nothing (the client went away, the fault was not the upstream's) and a probe's slot is given back.
  class Permit {
   public:
    Permit(Permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)), word_(other.word_), probe_(other.probe_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (breaker_ != nullptr && probe_) breaker_->finish_probe(word_, Outcome::kIgnored);
    }
    void success() { finish(Outcome::kSuccess); }
    void failure() { finish(Outcome::kFailure); }
    bool is_probe() const { return probe_; }

   private:
    friend class CircuitBreaker;
    enum class Outcome : std::uint8_t { kSuccess, kFailure, kIgnored };
    Permit(CircuitBreaker* breaker, std::uint64_t word, bool probe) : breaker_(breaker), word_(word), probe_(probe) {}
    void finish(Outcome outcome);

    CircuitBreaker* breaker_;
    std::uint64_t word_;
    bool probe_;
  };

  struct Denied {
    std::chrono::milliseconds retry_after;  // > 0
  };

  // CHECK-fails on settings outside their bounds. `clock` must outlive the breaker.
  CircuitBreaker(CircuitBreakerSettings settings, const Clock& clock, Observer observer = {});
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  std::expected<Permit, Denied> acquire() {
    const std::uint64_t word = word_.load(std::memory_order_acquire);
    if (state_of(word) == BreakerState::kClosed) [[likely]]
      return Permit(this, word, false);
    return acquire_slow();
  }
  // Whether acquire() would turn the caller away for being open. Takes nothing, changes nothing.
  std::optional<Denied> would_deny() const;
  BreakerState state() const { return state_of(word_.load(std::memory_order_acquire)); }
  BreakerSnapshot snapshot() const;

 private:
  static constexpr std::size_t kBuckets = 10;
  static constexpr std::size_t kShards = 8;
  struct alignas(128) Shard {
    std::array<std::atomic<std::uint64_t>, kBuckets> buckets{};  // tick, successes, failures packed; see the .cc
  };
  struct Sums {
    std::uint64_t outcomes = 0;
    std::uint64_t failures = 0;
  };

  // State in the low two bits, above it the number of changes so far: a permit remembers the word it was given under.
  static BreakerState state_of(std::uint64_t word) { return static_cast<BreakerState>(word & 3); }

  std::expected<Permit, Denied> acquire_slow();
  void record(std::uint64_t word, bool failed);
  void finish_probe(std::uint64_t word, Permit::Outcome outcome);
  std::int64_t now_ns() const;
  Sums sums(std::int64_t now) const;
  void change_to(BreakerState to, std::int64_t now);  // under mutex_

  const CircuitBreakerSettings settings_;
  const Clock& clock_;
  const Observer observer_;
  const std::int64_t bucket_ns_;

  alignas(128) std::atomic<std::uint64_t> word_{0};  // read by every call, written on a change only
  std::atomic<std::int64_t> open_until_ns_{0};
  std::array<Shard, kShards> shards_;

  std::mutex mutex_;                    // guards what follows and every change of word_
  std::uint32_t probes_in_flight_ = 0;  // of this half-open time and of earlier ones
  std::uint32_t probe_successes_ = 0;   // of this half-open time
};

}  // namespace parley
