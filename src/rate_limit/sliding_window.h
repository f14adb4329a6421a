// SlidingWindow: what one key did lately, in steps of a twelfth of the window. Within any stretch of one window's
// length at most `limit` are let through; the price of the steps is that one may count up to a twelfth of the window
// too long. Plain data, 64 bytes; the owner locks.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "base/clock.h"
#include "rate_limit/rate_limiter.h"

namespace parley {

class SlidingWindow {
 public:
  static constexpr std::int64_t kSteps = 12;

  RateDecision take(const RateRule& rule, SteadyTime now) {
    advance(rule, now);
    const bool allowed = total() < rule.limit;
    if (allowed) ++count_of(newest_);
    return decision(rule, now, allowed);
  }

  RateDecision give_back(const RateRule& rule, SteadyTime now) {
    advance(rule, now);
    for (std::int64_t step = newest_; step >= newest_ - kSteps; --step) {
      if (count_of(step) == 0) continue;
      --count_of(step);
      break;
    }
    return decision(rule, now, true);
  }

 private:
  // The current step and the twelve before it hold all that happened within the last window.
  static constexpr std::size_t kSlots = kSteps + 1;

  // The steady clock may stand near zero, at boot: steps before it are negative.
  std::uint32_t& count_of(std::int64_t step) {
    constexpr auto kCount = static_cast<std::int64_t>(kSlots);
    return counts_[static_cast<std::size_t>((step % kCount + kCount) % kCount)];
  }

  static std::chrono::nanoseconds step_length(const RateRule& rule) {
    CHECK(rule.window.count() >= kSteps);
    return std::chrono::nanoseconds(rule.window) / kSteps;
  }

  void advance(const RateRule& rule, SteadyTime now) {
    const std::int64_t current = now.time_since_epoch() / step_length(rule);
    if (current < newest_ || current > newest_ + kSteps) {
      // All is over; or the rule's window has changed, or time was another's: begin anew.
      counts_.fill(0);
      newest_ = current;
    }
    while (newest_ < current) count_of(++newest_) = 0;
  }

  std::uint32_t total() const {
    std::uint32_t sum = 0;
    for (const std::uint32_t count : counts_) sum += count;
    return sum;
  }

  RateDecision decision(const RateRule& rule, SteadyTime now, bool allowed) {
    RateDecision answer{.allowed = allowed, .limit = rule.limit};
    std::uint32_t left = total();
    answer.remaining = left < rule.limit ? rule.limit - left : 0;
    // Step by step, oldest first, as they will leave.
    for (std::int64_t step = newest_ - kSteps; step <= newest_; ++step) {
      if (count_of(step) == 0) continue;
      left -= count_of(step);
      const auto leaves_in = (step + static_cast<std::int64_t>(kSlots)) * step_length(rule) - now.time_since_epoch();
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(leaves_in);
      if (!allowed && answer.retry_after.count() == 0 && left < rule.limit) answer.retry_after = seconds;
      answer.reset = seconds;
    }
    return answer;
  }

  std::int64_t newest_ = 0;
  std::array<std::uint32_t, kSlots> counts_{};
};

}  // namespace parley
