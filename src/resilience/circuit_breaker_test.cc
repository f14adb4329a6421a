#include "resilience/circuit_breaker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <thread>
#include <vector>

#include "base/random.h"

namespace parley {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr CircuitBreakerSettings kSettings{
    .window = seconds(10), .volume_threshold = 10, .error_share = 0.5, .open_time = seconds(5), .half_open_probes = 2};

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void succeed(int times) {
    for (int i = 0; i < times; ++i) breaker.acquire()->success();
  }
  void fail_calls(int times) {
    for (int i = 0; i < times; ++i) breaker.acquire()->failure();
  }
  void open() {
    fail_calls(10);
    ASSERT_EQ(breaker.state(), BreakerState::kOpen);
  }
  void half_open_with(std::vector<CircuitBreaker::Permit>& probes, int count) {
    open();
    clock.advance(kSettings.open_time);
    for (int i = 0; i < count; ++i) probes.push_back(std::move(breaker.acquire().value()));
    ASSERT_EQ(breaker.state(), BreakerState::kHalfOpen);
  }

  ManualClock clock;
  std::vector<BreakerChange> changes;
  CircuitBreaker breaker{kSettings, clock, [this](const BreakerChange& change) { changes.push_back(change); }};
};

TEST_F(CircuitBreakerTest, StaysClosedBelowTheVolumeThreshold) {
  fail_calls(9);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  fail_calls(1);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, StaysClosedBelowTheErrorShareAndOpensAtIt) {
  succeed(50);
  fail_calls(49);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  fail_calls(1);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, ForgetsFailuresThatLeftTheWindow) {
  fail_calls(9);
  clock.advance(seconds(10));
  fail_calls(9);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  EXPECT_EQ(breaker.snapshot().failures, 9u);
}

TEST_F(CircuitBreakerTest, AddsUpFailuresOverTheWholeWindow) {
  for (int i = 0; i < 9; ++i) {
    fail_calls(1);
    clock.advance(seconds(1));
  }
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  fail_calls(1);
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, WhileOpenTurnsCallersAwayAndSaysForHowLong) {
  open();
  EXPECT_EQ(breaker.acquire().error().retry_after, seconds(5));
  clock.advance(milliseconds(4'999));
  EXPECT_EQ(breaker.acquire().error().retry_after, milliseconds(1));
  EXPECT_EQ(breaker.snapshot().retry_after, milliseconds(1));
  EXPECT_EQ(breaker.would_deny()->retry_after, milliseconds(1));
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
}

TEST_F(CircuitBreakerTest, AfterTheOpenTimeLetsOnlyTheProbesThrough) {
  std::vector<CircuitBreaker::Permit> probes;
  open();
  clock.advance(kSettings.open_time);
  EXPECT_FALSE(breaker.would_deny().has_value());
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);  // asking took nothing
  probes.push_back(std::move(breaker.acquire().value()));
  probes.push_back(std::move(breaker.acquire().value()));
  EXPECT_TRUE(probes[0].is_probe());
  const auto denied = breaker.acquire();
  ASSERT_FALSE(denied.has_value());
  EXPECT_GT(denied.error().retry_after, milliseconds(0));
}

TEST_F(CircuitBreakerTest, ClosesOnceAsManyProbesSucceededAndStartsWithAnEmptyWindow) {
  std::vector<CircuitBreaker::Permit> probes;
  half_open_with(probes, 2);
  probes[0].success();
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  probes[1].success();
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
  fail_calls(9);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, OpensAgainOnTheFirstFailedProbeForTheWholeOpenTime) {
  std::vector<CircuitBreaker::Permit> probes;
  half_open_with(probes, 2);
  probes[0].success();
  probes[1].failure();
  EXPECT_EQ(breaker.state(), BreakerState::kOpen);
  EXPECT_EQ(breaker.acquire().error().retry_after, seconds(5));
}

TEST_F(CircuitBreakerTest, GivesADroppedProbesSlotBackWithoutCountingIt) {
  std::vector<CircuitBreaker::Permit> probes;
  half_open_with(probes, 2);
  ASSERT_FALSE(breaker.acquire().has_value());
  probes.pop_back();
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  EXPECT_TRUE(breaker.acquire().has_value());
}

TEST_F(CircuitBreakerTest, CountsADroppedPermitForNothing) {
  for (int i = 0; i < 100; ++i) (void)breaker.acquire();
  EXPECT_EQ(breaker.snapshot().outcomes, 0u);
  EXPECT_EQ(breaker.state(), BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, IgnoresOutcomesOfPermitsGivenBeforeAChange) {
  auto late_success = breaker.acquire();
  auto late_failure = breaker.acquire();
  std::vector<CircuitBreaker::Permit> probes;
  half_open_with(probes, 1);
  late_success->success();
  late_failure->failure();
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
}

TEST_F(CircuitBreakerTest, AnEarlierHalfOpenTimesProbesStillHoldTheirSlots) {
  std::vector<CircuitBreaker::Permit> probes;
  half_open_with(probes, 2);
  probes[0].failure();
  clock.advance(kSettings.open_time);
  auto fresh = breaker.acquire();
  ASSERT_TRUE(fresh.has_value());
  EXPECT_FALSE(breaker.acquire().has_value());
  probes[1].failure();  // of the earlier time: gives its slot back and says nothing of now
  EXPECT_EQ(breaker.state(), BreakerState::kHalfOpen);
  EXPECT_TRUE(breaker.acquire().has_value());
}

TEST_F(CircuitBreakerTest, TellsTheObserverOfEachChangeInOrder) {
  std::vector<CircuitBreaker::Permit> probes;
  half_open_with(probes, 2);
  probes[0].success();
  probes[1].success();
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].to, BreakerState::kOpen);
  EXPECT_EQ(changes[0].failures, 10u);
  EXPECT_EQ(changes[1].to, BreakerState::kHalfOpen);
  EXPECT_EQ(changes[2].from, BreakerState::kHalfOpen);
  EXPECT_EQ(changes[2].to, BreakerState::kClosed);
}

TEST_F(CircuitBreakerTest, KeepsTheShareOfABucketThatIsFull) {
  for (int i = 0; i < 400'000; ++i) {
    succeed(3);
    fail_calls(1);
  }
  const BreakerSnapshot now = breaker.snapshot();
  EXPECT_EQ(now.state, BreakerState::kClosed);
  EXPECT_NEAR(static_cast<double>(now.failures) / static_cast<double>(now.outcomes), 0.25, 0.01);
}

TEST_F(CircuitBreakerTest, AMovedPermitCountsOnce) {
  auto first = breaker.acquire();
  CircuitBreaker::Permit second(std::move(first.value()));
  second.failure();
  EXPECT_EQ(breaker.snapshot().outcomes, 1u);
}

// Over random histories: at most N probes are ever in flight, no call passes while open, a closed breaker never denies.
TEST(CircuitBreakerProperty, HoldsItsBoundsInRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    ManualClock clock;
    CircuitBreakerSettings settings = kSettings;
    settings.half_open_probes = static_cast<std::uint32_t>(1 + random.below(4));
    settings.volume_threshold = 1 + random.below(10);
    settings.error_share = 0.1 + 0.9 * random.unit();
    CircuitBreaker breaker(settings, clock);
    SteadyTime opened_at{};
    std::list<CircuitBreaker::Permit> in_flight;
    const auto probes_out = [&in_flight] {
      return static_cast<std::size_t>(
          std::count_if(in_flight.begin(), in_flight.end(), [](const auto& permit) { return permit.is_probe(); }));
    };
    for (int step = 0; step < 500; ++step) {
      const BreakerState before = breaker.state();
      if (random.below(3) == 0) clock.advance(milliseconds(random.below(2'000)));
      if (in_flight.size() < 8 && random.below(2) == 0) {
        auto permit = breaker.acquire();
        if (before == BreakerState::kClosed) ASSERT_TRUE(permit.has_value());
        if (before == BreakerState::kOpen && clock.steady_now() < opened_at + settings.open_time) {
          ASSERT_FALSE(permit.has_value());
        }
        if (permit) in_flight.push_back(std::move(*permit));
        ASSERT_LE(probes_out(), settings.half_open_probes);
        continue;
      }
      if (in_flight.empty()) continue;
      const auto chosen = std::next(in_flight.begin(), static_cast<std::ptrdiff_t>(random.below(in_flight.size())));
      CircuitBreaker::Permit permit(std::move(*chosen));
      in_flight.erase(chosen);
      const std::uint64_t outcome = random.below(4);
      if (outcome <= 1) permit.failure();
      if (outcome == 2) permit.success();
      if (breaker.state() == BreakerState::kOpen && before != BreakerState::kOpen) opened_at = clock.steady_now();
      const BreakerSnapshot now = breaker.snapshot();
      ASSERT_LE(now.failures, now.outcomes);
    }
  }
}

TEST(CircuitBreakerConcurrent, NeverHasMoreThanNProbesOutWhateverTheThreadsDo) {
  ManualClock clock;
  CircuitBreakerSettings settings = kSettings;
  settings.half_open_probes = 3;
  std::atomic<int> probes_out{0};
  std::atomic<int> most{0};
  int changes = 0;  // guarded by the breaker's lock, as the observer's contract says
  CircuitBreaker breaker(settings, clock, [&changes](const BreakerChange&) { ++changes; });
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&, seed] {
      SeededRandom random(seed);
      for (int i = 0; i < 20'000; ++i) {
        auto permit = breaker.acquire();
        if (!permit) {
          clock.advance(milliseconds(100));
          continue;
        }
        const bool probe = permit->is_probe();
        if (probe) {
          const int out = probes_out.fetch_add(1) + 1;
          int seen = most.load();
          while (seen < out && !most.compare_exchange_weak(seen, out)) {
          }
        }
        const bool failed = random.below(2) == 0;
        if (probe) probes_out.fetch_sub(1);
        if (failed) {
          permit->failure();
        } else {
          permit->success();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(most.load(), 3);
  EXPECT_GT(changes, 0);
}

TEST(CircuitBreakerConcurrent, LosesNoOutcomeOfAnyThread) {
  ManualClock clock;
  CircuitBreaker breaker(CircuitBreakerSettings{.error_share = 1.0}, clock);
  breaker.acquire()->success();  // so that the share of failures never reaches 1
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t) {  // more threads than shards
    threads.emplace_back([&breaker] {
      for (int i = 0; i < 2'000; ++i) breaker.acquire()->failure();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(breaker.snapshot().outcomes, 12u * 2'000u + 1u);
  EXPECT_EQ(breaker.snapshot().failures, 12u * 2'000u);
}

}  // namespace
}  // namespace parley
