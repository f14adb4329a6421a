// The contract of a move from one kind of messaging store to another (messaging/transfer), as a GoogleTest suite over
// pairs of adapters. An adapter's test links store_transfer_contract.cc and instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(SqliteToSqlite, StoreTransferContract, testing::Values(MovePair{make_side, make_side}));
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "events/event_log.h"
#include "messaging/messaging_store.h"
#include "messaging/transfer/store_comparison.h"
#include "messaging/transfer/store_copy.h"

namespace parley::messaging::testing {

// A place for a store of one adapter, which goes with it: served, or moved from, or moved to.
class MoveSide {
 public:
  virtual ~MoveSide() = default;
  virtual Result<> serve() = 0;
  virtual void stop() = 0;
  virtual MessagingStore& store() = 0;  // while it is served, like the next two
  virtual events::EventLog& log() = 0;
  virtual Task<Result<std::int64_t>> erase_deleted(std::int64_t limit) = 0;
  // Whatever the adapter can find wrong with its own data.
  virtual std::vector<std::string> problems(EventLoop& loop) = 0;

  virtual std::unique_ptr<transfer::StoreReader> source() = 0;  // beside who serves it
  virtual std::unique_ptr<transfer::StoreWriter> target() = 0;  // while nobody does
};
using MakeSide = std::unique_ptr<MoveSide> (*)(const Clock&, Random&);
struct MovePair {
  MakeSide from;
  MakeSide to;  // null where the engine of either is not at hand
};

class StoreTransferContract : public ::testing::TestWithParam<MovePair> {
 protected:
  StoreTransferContract() { loops_.start(); }
  ~StoreTransferContract() override;
  void SetUp() override;

  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();
  static Caller user(const char* id, const char* tenant = "acme");

  void group(MoveSide& side, const char* id, std::vector<const char*> members = {});
  Conversation direct(MoveSide& side, const char* caller, const char* other);
  Message say(MoveSide& side, const char* who, const char* conversation, std::string content, const char* key = nullptr,
              std::optional<MessageId> reply_to = {}, std::vector<FileId> files = {});
  void edit(MoveSide& side, const Message& message, std::string content);
  void remove(MoveSide& side, const Message& message);
  void react(MoveSide& side, const char* who, const Message& message, const char* reaction);
  void drop(MoveSide& side, const char* conversation);
  void read(MoveSide& side, const char* who, const char* conversation, Seq seq);
  // Some of everything that a store can hold.
  void fill(MoveSide& side);
  events::LogOffset head(MoveSide& side);

  static transfer::CopyCounts copied(MoveSide& from, MoveSide& to);
  static transfer::Comparison compared(MoveSide& from, MoveSide& to);
  static void finish(MoveSide& from, MoveSide& to);

  ManualClock clock_;
  SeededRandom random_{7};
  EventLoops loops_{1};
  std::unique_ptr<MoveSide> from_;
  std::unique_ptr<MoveSide> to_;
};

}  // namespace parley::messaging::testing
