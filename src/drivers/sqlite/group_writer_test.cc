#include "drivers/sqlite/group_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <future>
#include <latch>

#include "base/run_on_loop.h"
#include "drivers/sqlite/reader_pool.h"
#include "drivers/sqlite/temp_folder.h"

namespace parley::sqlite {
namespace {

using Work = std::move_only_function<Result<int>(Connection&)>;

constexpr int kMany = 8;

class RecordingObserver final : public WriterObserver {
 public:
  void on_commit(std::size_t jobs, std::chrono::nanoseconds, std::size_t, std::int64_t wal_bytes) override {
    batches.push_back(jobs);
    largest_wal = std::max(largest_wal, wal_bytes);
  }
  void on_failure(const Error& error) override { failures.push_back(error.code); }
  std::vector<std::size_t> batches;  // read after the writer has closed
  std::vector<std::string> failures;
  std::int64_t largest_wal = 0;
};

class GroupWriterTest : public ::testing::Test {
 protected:
  GroupWriterTest() : loops_(2) {
    loops_.start();
    Connection(ConnectionOptions{.file = file()}).exec("CREATE TABLE t(a INTEGER UNIQUE, b BLOB)");
  }
  ~GroupWriterTest() override {
    release();
    writer_.reset();
    loops_.stop();
  }
  std::filesystem::path file() const { return folder_.path() / "x.db"; }

  void open(GroupWriter::Options options = {}) {
    options.file = file();
    options.observer = &observer_;
    options.after_commit = [this] { ++commits_; };
    writer_ = std::make_unique<GroupWriter>(std::make_unique<Connection>(ConnectionOptions{.file = file()}),
                                            std::move(options), clock_);
  }
  std::future<Result<int>> submit(Work work, std::size_t loop = 0, SteadyTime deadline = SteadyTime::max()) {
    auto promise = std::make_shared<std::promise<Result<int>>>();
    auto future = promise->get_future();
    asio::co_spawn(loops_.at(loop).io(), writer_->run<int>(deadline, std::move(work)),
                   [promise](std::exception_ptr, Result<int> result) { promise->set_value(std::move(result)); });
    return future;
  }
  static Work insert(int a) {
    return [a](Connection& db) -> Result<int> {
      Query(db, "INSERT INTO t(a) VALUES(?1)", a).run();
      return a;
    };
  }
  // Holds the writer in a job until release(), so that what is submitted meanwhile makes one batch.
  void hold() {
    auto entered = std::make_shared<std::promise<void>>();
    auto in = entered->get_future();
    gate_ = std::make_shared<std::promise<void>>();
    held_ = submit([entered, out = std::make_shared<std::shared_future<void>>(gate_->get_future().share())](
                       Connection&) -> Result<int> {
      entered->set_value();
      out->wait();
      return 0;
    });
    in.wait();
  }
  void release() {
    if (gate_) std::exchange(gate_, nullptr)->set_value();
  }
  void wait_until_queued(std::size_t count) {
    while (writer_->queued() < count) std::this_thread::yield();
  }
  // One commit of 0 … kMany-1, after which the next transaction waits for half as many.
  void commit_many() {
    hold();
    std::vector<std::future<Result<int>>> answers;
    for (int i = 0; i < kMany; ++i) answers.push_back(submit(insert(i)));
    wait_until_queued(kMany);
    release();
    for (auto& answer : answers) EXPECT_TRUE(answer.get().has_value());
  }
  std::int64_t rows() {
    return Connection(ConnectionOptions{.file = file(), .read_only = true}).query_int("SELECT count(*) FROM t");
  }

  TempFolder folder_;
  ManualClock clock_;
  EventLoops loops_;
  RecordingObserver observer_;
  std::atomic<int> commits_{0};
  std::unique_ptr<GroupWriter> writer_;
  std::shared_ptr<std::promise<void>> gate_;
  std::future<Result<int>> held_;
};

TEST_F(GroupWriterTest, WhatQueuesUpDuringACommitIsCommittedTogether) {
  open();
  hold();
  std::vector<std::future<Result<int>>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(submit(insert(i), static_cast<std::size_t>(i % 2)));
  wait_until_queued(10);
  release();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*answers[static_cast<std::size_t>(i)].get(), i);
  EXPECT_EQ(rows(), 10);
  writer_.reset();
  EXPECT_THAT(observer_.batches, ::testing::ElementsAre(1, 10));
  EXPECT_EQ(commits_, 1);
}

TEST_F(GroupWriterTest, AfterACommitOfManyTheNextOneWaitsForHalfAsMany) {
  open({.gather_for = std::chrono::hours(1)});
  commit_many();
  std::vector<std::future<Result<int>>> answers;
  for (int i = kMany; i < kMany + kMany / 2; ++i) answers.push_back(submit(insert(i)));
  for (int i = kMany; i < kMany + kMany / 2; ++i) EXPECT_EQ(*answers[static_cast<std::size_t>(i - kMany)].get(), i);
  writer_.reset();
  EXPECT_THAT(observer_.batches, ::testing::ElementsAre(1, kMany, kMany / 2));
}

TEST_F(GroupWriterTest, WhoeverComesAloneAfterwardsWaitsForNobodyForLong) {
  open({.gather_for = std::chrono::microseconds(1)});
  commit_many();
  EXPECT_EQ(*submit(insert(kMany)).get(), kMany);
}

TEST_F(GroupWriterTest, ClosingEndsTheWaitForOthers) {
  open({.gather_for = std::chrono::hours(1)});
  commit_many();
  auto last = submit(insert(kMany));
  wait_until_queued(1);
  writer_.reset();
  EXPECT_EQ(*last.get(), kMany);
}

TEST_F(GroupWriterTest, ABatchHasALimit) {
  open({.batch_limit = 4});
  hold();
  std::vector<std::future<Result<int>>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(submit(insert(i)));
  wait_until_queued(10);
  release();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  writer_.reset();
  EXPECT_THAT(observer_.batches, ::testing::ElementsAre(1, 4, 4, 2));
}

TEST_F(GroupWriterTest, AFullQueueRefusesAtOnce) {
  open({.queue_limit = 2});
  hold();
  auto first = submit(insert(1));
  auto second = submit(insert(2));
  wait_until_queued(2);
  const auto third = submit(insert(3)).get();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, "overloaded");
  EXPECT_EQ(third.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(third.error().retry_after);
  release();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_EQ(rows(), 2);
}

TEST_F(GroupWriterTest, AJobWhoseDeadlineHasPassedIsNotStarted) {
  open();
  hold();
  std::atomic<bool> ran = false;
  auto late = submit(
      [&ran](Connection&) -> Result<int> {
        ran = true;
        return 1;
      },
      0, clock_.steady_now() + std::chrono::hours(24 * 365 * 100));
  auto other = submit(insert(2));
  wait_until_queued(2);
  clock_.advance(std::chrono::hours(24 * 365 * 101));
  release();
  EXPECT_EQ(late.get().error().code, "deadline_exceeded");
  EXPECT_TRUE(other.get());
  EXPECT_FALSE(ran);
}

TEST_F(GroupWriterTest, AJobThatFailsBeforeItWritesCostsItsBatchNothing) {
  open();
  hold();
  auto good = submit(insert(1));
  auto bad = submit([](Connection&) -> Result<int> { return not_found("thing"); });
  wait_until_queued(2);
  release();
  EXPECT_TRUE(good.get());
  EXPECT_EQ(bad.get().error().code, "not_found");
  writer_.reset();
  EXPECT_THAT(observer_.batches, ::testing::ElementsAre(1, 2));
}

TEST_F(GroupWriterTest, AJobThatFailsAfterItWroteNeverFailsItsNeighbours) {
  open();
  hold();
  auto before = submit(insert(1));
  auto refused = submit([](Connection& db) -> Result<int> {
    Query(db, "INSERT INTO t(a) VALUES(100)").run();
    return not_found("thing");
  });
  auto duplicate = submit([](Connection& db) -> Result<int> {
    Query(db, "INSERT INTO t(a) VALUES(200)").run();
    Query(db, "INSERT INTO t(a) VALUES(200)").run();
    return 1;
  });
  auto thrown = submit([](Connection& db) -> Result<int> {
    Query(db, "INSERT INTO t(a) VALUES(300)").run();
    throw std::runtime_error("a bug");
  });
  auto after = submit(insert(2));
  wait_until_queued(5);
  release();
  EXPECT_TRUE(before.get());
  EXPECT_EQ(refused.get().error().code, "not_found");
  EXPECT_EQ(duplicate.get().error().code, "unavailable");
  EXPECT_EQ(thrown.get().error().code, "internal_error");
  EXPECT_TRUE(after.get());
  EXPECT_EQ(rows(), 2);
}

TEST_F(GroupWriterTest, WhenThereIsNoRoomNothingIsAcknowledgedAndLaterWritesWorkAgain) {
  open();
  ASSERT_TRUE(submit([](Connection& db) -> Result<int> {
                db.exec("PRAGMA max_page_count=8");
                return 0;
              }).get());
  const auto big = [](Connection& db) -> Result<int> {
    Query(db, "INSERT INTO t(b) VALUES(zeroblob(100000))").run();
    return 1;
  };
  const auto refused = submit(big).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kNoRoom);
  EXPECT_EQ(refused.error().code, "storage_full");
  EXPECT_EQ(rows(), 0);
  EXPECT_TRUE(submit(insert(1)).get());
  ASSERT_TRUE(submit([](Connection& db) -> Result<int> {
                db.exec("PRAGMA max_page_count=100000");
                return 0;
              }).get());
  EXPECT_TRUE(submit(big).get());
}

// The kernel refuses to let the log file grow: COMMIT itself fails, for every job of the batch.
TEST_F(GroupWriterTest, AFailedCommitFailsItsWholeBatchAndTheConnectionIsReplaced) {
  open();
  ASSERT_TRUE(submit(insert(1)).get());
  hold();
  auto first = submit(insert(2));
  auto second = submit([](Connection& db) -> Result<int> {
    Query(db, "INSERT INTO t(b) VALUES(zeroblob(2000000))").run();
    return 1;
  });
  wait_until_queued(2);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tight{1'000'000, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  release();
  const auto one = first.get();
  const auto two = second.get();
  ::setrlimit(RLIMIT_FSIZE, &old);
  ASSERT_FALSE(one);
  ASSERT_FALSE(two);
  EXPECT_TRUE(one.error().code == "unavailable" || one.error().code == "storage_full") << one.error().code;
  EXPECT_EQ(rows(), 1);
  EXPECT_TRUE(submit(insert(3)).get());
  EXPECT_EQ(rows(), 2);
  writer_.reset();
  EXPECT_FALSE(observer_.failures.empty());
}

TEST_F(GroupWriterTest, TheLogFileIsCheckpointedWhileWritesGoOnAndEmptyAtTheEnd) {
  open({.checkpoint_wal_pages = 50});
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(submit([](Connection& db) -> Result<int> {
                  Query(db, "INSERT INTO t(b) VALUES(zeroblob(8000))").run();
                  return 1;
                }).get());
  }
  writer_.reset();
  EXPECT_LT(observer_.largest_wal, 200 * 8000 / 2);
  EXPECT_EQ(rows(), 200);
  const auto wal = file().string() + "-wal";
  EXPECT_TRUE(!std::filesystem::exists(wal) || std::filesystem::file_size(wal) == 0);
}

TEST_F(GroupWriterTest, TheLogFileIsCutThoughSomebodyReadsAtEachCommit) {
  open({.checkpoint_wal_pages = 1, .truncate_wal_bytes = 1});
  Connection reader(ConnectionOptions{.file = file(), .read_only = true});
  constexpr int kWrites = 100;
  for (int i = 0; i < kWrites; ++i) {
    reader.exec("BEGIN; SELECT count(*) FROM t");
    ASSERT_TRUE(submit([](Connection& db) -> Result<int> {
                  Query(db, "INSERT INTO t(b) VALUES(zeroblob(8000))").run();
                  return 1;
                }).get());
    // Answered, and the checkpoint is tried: it must wait for this. The next read begins when it is over.
    reader.exec("COMMIT");
    ASSERT_TRUE(submit([](Connection&) -> Result<int> { return 0; }).get());
  }
  writer_.reset();
  EXPECT_LT(observer_.largest_wal, kWrites * 8000 / 2);
}

TEST_F(GroupWriterTest, ClosingFinishesWhatIsQueued) {
  open();
  hold();
  std::vector<std::future<Result<int>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(submit(insert(i)));
  wait_until_queued(20);
  release();
  writer_.reset();
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(rows(), 20);
}

TEST_F(GroupWriterTest, ReadersSeeWholeCommitsOnly) {
  open();
  ReaderPool readers({.file = file(), .threads = 2}, clock_);
  ASSERT_TRUE(submit(insert(0)).get());
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      auto counted = run_on_loop(
          loops_.at(1), readers.run<std::int64_t>(SteadyTime::max(), [](Connection& db) -> Result<std::int64_t> {
            Query count(db, "SELECT count(*) FROM t");
            count.step();
            return count.integer(0);
          }));
      ASSERT_TRUE(counted);
      ASSERT_EQ(*counted % 2, 1);
    }
  });
  for (int i = 1; i < 200; i += 2) {
    ASSERT_TRUE(submit([i](Connection& db) -> Result<int> {
                  Query(db, "INSERT INTO t(a) VALUES(?1)", i).run();
                  Query(db, "INSERT INTO t(a) VALUES(?1)", i + 1).run();
                  return 1;
                }).get());
  }
  stop = true;
  reader.join();
}

TEST_F(GroupWriterTest, AReadPastItsDeadlineIsNotStarted) {
  open();
  ReaderPool readers({.file = file(), .threads = 1}, clock_);
  const auto late = readers.run_here<int>(clock_.steady_now(), [](Connection&) -> Result<int> { return 1; });
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, "deadline_exceeded");
}

}  // namespace
}  // namespace parley::sqlite
