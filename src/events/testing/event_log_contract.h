// The contract that every event log must keep, as GoogleTest suites over its adapters. An adapter's test links
// event_log_contract.cc and instantiates both suites:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogContract, testing::Values(make_sqlite_log));
//   INSTANTIATE_TEST_SUITE_P(Sqlite, ConsumerRunnerContract, testing::Values(make_sqlite_log));
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "events/consumer_runner.h"
#include "events/event_log.h"

namespace parley::events::testing {

// A log of one adapter in a place of its own, which goes with it.
class LogUnderTest {
 public:
  virtual ~LogUnderTest() = default;
  virtual EventLog& log() = 0;
  // Closes the log and opens it again, as a restart does.
  virtual void reopen() = 0;
  // In one commit: events of tenant "acme" and key "c" with these numbers, whose data, {"row":NUMBER}, is made when
  // they are read. Called on `loop`.
  virtual Task<Result<int>> append(std::int64_t first, std::int64_t last, WallTime time, Random& random) = 0;
};
// `clock` is the real one. Null where the adapter's engine is not at hand: the test is skipped.
using MakeLog = std::unique_ptr<LogUnderTest> (*)(const Clock& clock);

class EventLogContract : public ::testing::TestWithParam<MakeLog> {
 protected:
  EventLogContract();
  ~EventLogContract() override;
  void SetUp() override;

  EventLog& log() { return under_test_->log(); }
  void reopen() { under_test_->reopen(); }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  void append_events(std::int64_t first, std::int64_t last);
  std::vector<std::int64_t> numbers_after(LogOffset after, std::size_t limit = 100);
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  ManualClock clock_;   // of the events
  SystemClock system_;  // of the deadlines, which loops keep by the real one
  EventLoops loops_;
  SeededRandom random_;
  std::unique_ptr<LogUnderTest> under_test_;
};

class RecordingConsumer;
class ConsumerRunnerContract : public EventLogContract {
 protected:
  // Runs until the consumer has what it wants, and longer if `also` is given; then stops.
  void run(RecordingConsumer& consumer, std::function<void()> also = {});
  LogOffset delivered_;
  std::chrono::milliseconds linger_{0};
};

}  // namespace parley::events::testing
