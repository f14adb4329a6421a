// Over a real MongoDB: the contract, and what only several instances can do to one database.
#include "media/stores/mongo_media_store.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>

#include "drivers/mongo/temp_database.h"
#include "media/testing/media_store_contract.h"

namespace parley::media {

namespace testing {

class MongoUnderTest final : public MediaStoreUnderTest {
 public:
  MongoUnderTest(const Clock& clock, Random& random) : clock_(clock), random_(random) { open(); }
  MediaStore& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }
  std::vector<events::Event> events(EventLoop& loop) override {
    std::vector<events::Event> all;
    for (events::LogOffset after;;) {
      auto batch = run_on_loop(loop, store_->event_log().read(after, 100, SteadyTime::max()));
      CHECK(batch.has_value());
      if (batch->through == after) return all;
      after = batch->through;
      std::ranges::move(batch->events, std::back_inserter(all));
    }
  }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto found = run_on_loop(loop, store_->check(SteadyTime::max()));
    return found ? *found : std::vector{found.error().detail};
  }

 private:
  void open() {
    auto opened = MongoMediaStore::open(
        {.connection = database_.options(), .limits = kLimitsUnderTest, .reader_threads = 4}, clock_, random_);
    CHECK(opened.has_value());
    store_ = std::move(*opened);
  }
  const Clock& clock_;
  Random& random_;
  mongo::TempDatabase database_;
  std::unique_ptr<MongoMediaStore> store_;
};

std::unique_ptr<MediaStoreUnderTest> make_mongo_store(const Clock& clock, Random& random) {
  return std::make_unique<MongoUnderTest>(clock, random);
}
std::vector<MakeMediaStore> makers() {
  if (!mongo::test_uri()) return {};
  return {make_mongo_store};
}
INSTANTIATE_TEST_SUITE_P(MongoDB, MediaStoreContract, ::testing::ValuesIn(makers()));

}  // namespace testing

namespace {

class MongoMediaStoreLive : public ::testing::Test {
 protected:
  MongoMediaStoreLive() { loops_.start(); }
  ~MongoMediaStoreLive() override { loops_.stop(); }
  void SetUp() override {
    if (!mongo::test_uri()) GTEST_SKIP() << mongo::kNoTestServer;
  }
  std::unique_ptr<MongoMediaStore> instance(QuotaLimits limits) {
    auto opened = MongoMediaStore::open(
        {.connection = database_.options(), .limits = limits, .reader_threads = 2, .writer_lanes = 2}, clock_, random_);
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  template <class T>
  T wait(Task<T> task, std::size_t loop = 0) {
    return run_on_loop(loops_.at(loop), std::move(task));
  }
  Upload upload(const std::string& owner, std::uint64_t bytes) {
    Upload upload;
    upload.id = FileId(make_uuid_v7(clock_.wall_now(), random_));
    upload.tenant = TenantId("acme");
    upload.owner = UserId(owner);
    upload.kind = UploadKind::kChunked;
    upload.filename = "a file.txt";
    upload.size = upload.reserved = bytes;
    upload.created_at = clock_.wall_now();
    upload.expires_at = clock_.wall_now() + std::chrono::hours(1);
    return upload;
  }

  SystemClock clock_;
  SecureRandom random_;
  EventLoops loops_{2};
  mongo::TempDatabase database_;
};

TEST_F(MongoMediaStoreLive, TwoInstancesNeverPromiseTheSameRoom) {
  const QuotaLimits limits{.per_user = 0, .per_tenant = 1'000, .uploads_per_user = 0};
  const auto one = instance(limits), other = instance(limits);
  std::atomic<int> begun{0}, refused{0}, failed{0};
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] {
      MongoMediaStore& store = i == 0 ? *one : *other;
      for (int n = 0; n < 12; ++n) {
        const auto done =
            wait(store.begin_upload(upload("user" + std::to_string(i * 100 + n), 100), SteadyTime::max()), i);
        ++(done ? begun : done.error().code == "quota_exceeded" ? refused : failed);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(begun, 10);
  EXPECT_EQ(refused, 14);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(wait(one->get_usage(TenantId("acme"), UserId("x"), SteadyTime::max()))->tenant.reserved, 1'000u);
  EXPECT_TRUE(wait(one->check(SteadyTime::max()))->empty());
}

TEST_F(MongoMediaStoreLive, PartsThatTwoInstancesBringAreAllThere) {
  const auto one = instance({}), other = instance({});
  const Upload begun = upload("ann", 40);
  ASSERT_TRUE(wait(one->begin_upload(begun, SteadyTime::max())));
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] {
      MongoMediaStore& store = i == 0 ? *one : *other;
      for (std::uint64_t n = i; n < 20; n += 2) {
        EXPECT_TRUE(
            wait(store.add_part({begun.tenant, begun.id, {2 * n, 2 * n + 2}, begun.expires_at}, SteadyTime::max()), i));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wait(one->get_upload(begun.tenant, begun.id, SteadyTime::max()))->present,
            (std::vector<ByteRange>{{0, 40}}));
}

TEST_F(MongoMediaStoreLive, WhatBothFinishIsOneFileWithOneEvent) {
  const auto one = instance({}), other = instance({});
  const Upload begun = upload("ann", 5);
  ASSERT_TRUE(wait(one->begin_upload(begun, SteadyTime::max())));
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] {
      MongoMediaStore& store = i == 0 ? *one : *other;
      EXPECT_TRUE(wait(store.finish_upload({begun.tenant, begun.id, "text/plain", 5, {}}, {}, SteadyTime::max()), i));
    });
  }
  for (std::thread& caller : callers) caller.join();
  const auto usage = wait(one->get_usage(begun.tenant, begun.owner, SteadyTime::max()));
  EXPECT_EQ(usage->user.files, 1u);
  EXPECT_EQ(usage->user.stored, 5u);
  std::size_t events = 0;
  for (events::LogOffset after;;) {
    const auto batch = wait(other->event_log().read(after, 100, SteadyTime::max()));
    ASSERT_TRUE(batch);
    if (batch->through == after) break;
    after = batch->through;
    events += batch->events.size();
  }
  EXPECT_EQ(events, 1u);
}

// Each expired upload is told to one sweeper, and its room given back once.
TEST_F(MongoMediaStoreLive, TwoThatSweepAtOnceForgetEachUploadOnce) {
  constexpr int kUploads = 60;
  const QuotaLimits limits{.per_user = 0, .per_tenant = kUploads, .uploads_per_user = 0};
  const auto one = instance(limits), other = instance(limits);
  for (int n = 0; n < kUploads; ++n) {
    ASSERT_TRUE(wait(one->begin_upload(upload("user" + std::to_string(n % 7), 1), SteadyTime::max())));
  }
  EXPECT_EQ(wait(other->begin_upload(upload("late", 1), SteadyTime::max())).error().code, "quota_exceeded");
  const WallTime later = clock_.wall_now() + std::chrono::hours(2);
  std::array<std::vector<FileId>, 2> forgotten;
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < 2; ++i) {
    callers.emplace_back([&, i] {
      MongoMediaStore& store = i == 0 ? *one : *other;
      for (std::size_t got = 1; got > 0;) {
        const auto some = wait(store.forget_expired_uploads(later, 10, SteadyTime::max()), i);
        ASSERT_TRUE(some) << some.error().detail;
        got = some->size();
        std::ranges::copy(*some, std::back_inserter(forgotten[i]));
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  std::set<FileId> ids(forgotten[0].begin(), forgotten[0].end());
  ids.insert(forgotten[1].begin(), forgotten[1].end());
  EXPECT_EQ(ids.size(), static_cast<std::size_t>(kUploads));
  EXPECT_EQ(forgotten[0].size() + forgotten[1].size(), ids.size());
  EXPECT_EQ(wait(one->get_usage(TenantId("acme"), UserId("user0"), SteadyTime::max()))->tenant.reserved, 0u);
  EXPECT_TRUE(wait(one->check(SteadyTime::max()))->empty());
  EXPECT_TRUE(wait(other->begin_upload(upload("late", kUploads), SteadyTime::max())));
}

// Who forgets an upload and who finishes it, at once: it is a file, or it is gone, and the counters say which.
TEST_F(MongoMediaStoreLive, AnUploadThatExpiresWhileItIsFinishedIsOneOfBoth) {
  const auto one = instance({}), other = instance({});
  for (int n = 0; n < 10; ++n) {
    const Upload begun = upload("ann", 5);
    ASSERT_TRUE(wait(one->begin_upload(begun, SteadyTime::max())));
    bool is_file = false;
    std::size_t forgotten = 0;
    std::thread finisher([&] {
      is_file =
          wait(one->finish_upload({begun.tenant, begun.id, "text/plain", 5, {}}, {}, SteadyTime::max()), 0).has_value();
    });
    std::thread sweeper([&] {
      const WallTime later = clock_.wall_now() + std::chrono::hours(2);
      forgotten = wait(other->forget_expired_uploads(later, 10, SteadyTime::max()), 1)->size();
    });
    finisher.join();
    sweeper.join();
    EXPECT_EQ(is_file, forgotten == 0);
    EXPECT_EQ(wait(other->get_file(begun.tenant, begun.id, SteadyTime::max())).has_value(), is_file);
  }
  const auto problems = wait(one->check(SteadyTime::max()));
  EXPECT_TRUE(problems && problems->empty()) << problems->front();
}

TEST_F(MongoMediaStoreLive, OneOfTwoRelaysTheLog) {
  const auto one = instance({}), other = instance({});
  const auto first = one->make_relay_lease("one"), second = other->make_relay_lease("other");
  const auto held = wait(first->hold(SteadyTime::max()));
  ASSERT_TRUE(held && *held);
  const auto not_held = wait(second->hold(SteadyTime::max()));
  ASSERT_TRUE(not_held);
  EXPECT_FALSE(*not_held);
  ASSERT_TRUE(wait(first->release(SteadyTime::max())));
  const auto taken = wait(second->hold(SteadyTime::max()));
  ASSERT_TRUE(taken && *taken);
  EXPECT_GT((*taken)->value, (*held)->value);
}

// A file that another instance deleted is gone here at once: nothing is remembered between two reads.
TEST_F(MongoMediaStoreLive, WhatOneDeletesTheOtherDoesNotShow) {
  const auto one = instance({}), other = instance({});
  const Upload begun = upload("ann", 5);
  ASSERT_TRUE(wait(one->begin_upload(begun, SteadyTime::max())));
  ASSERT_TRUE(wait(one->finish_upload({begun.tenant, begun.id, "text/plain", 5, {}}, {}, SteadyTime::max())));
  EXPECT_TRUE(wait(other->get_file(begun.tenant, begun.id, SteadyTime::max())));
  ASSERT_TRUE(wait(one->delete_file(begun.tenant, begun.id, begun.owner, SteadyTime::max())));
  EXPECT_EQ(wait(other->get_file(begun.tenant, begun.id, SteadyTime::max())).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace parley::media
