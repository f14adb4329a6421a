#include "gateway/search_cache.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>
#include <thread>
#include <vector>

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class SearchCacheTest : public ::testing::Test {
 protected:
  SearchCacheTest() { loops.start(); }
  ~SearchCacheTest() override { loops.stop(); }

  SearchCache& cache() {
    if (!made) made.emplace(limits);
    return *made;
  }
  KeptAnswer answer(std::string body, std::uint64_t epoch = 0) {
    auto one = std::make_shared<CachedAnswer>();
    one->body = std::move(body);
    one->epoch = epoch;
    one->asked_at = clock.steady_now();
    return one;
  }
  SearchCache::Found find(std::string_view key, std::uint64_t epoch = 0) {
    return cache().find(key, epoch, clock.steady_now());
  }
  // What is kept under `key`, empty if nothing is. Leads no question.
  std::string kept(std::string_view key, std::uint64_t epoch = 0) {
    SearchCache::Found found = find(key, epoch);
    const KeptAnswer* const it = std::get_if<KeptAnswer>(&found);
    return it != nullptr ? (*it)->body : std::string();
  }
  SearchCache::Lead lead(std::string_view key, std::uint64_t epoch = 0) {
    SearchCache::Found found = find(key, epoch);
    return std::move(std::get<SearchCache::Lead>(found));
  }
  void keep(std::string_view key, std::string body, std::uint64_t epoch = 0) {
    lead(key, epoch).publish(answer(std::move(body), epoch), true);
  }

  // What one who came later hears; empty: nothing came, or too late.
  std::future<std::string> join(std::string_view key, std::uint64_t epoch = 0, SteadyTime deadline = SteadyTime::max(),
                                std::size_t loop = 0) {
    const int before = joined.load();
    auto heard =
        asio::co_spawn(loops.at(loop).io(), listen(*this, std::string(key), epoch, deadline), asio::use_future);
    while (joined.load() == before) std::this_thread::yield();
    return heard;
  }
  static Task<std::string> listen(SearchCacheTest& test, std::string key, std::uint64_t epoch, SteadyTime deadline) {
    SearchCache::Found found = test.find(key, epoch);
    ++test.joined;
    auto* const future = std::get_if<OneShotFuture<KeptAnswer>>(&found);
    if (future == nullptr) co_return "did not wait";
    const Result<KeptAnswer> came = co_await future->wait(deadline);
    co_return came ? (*came)->body : std::string(came.error().kind == ErrorKind::kTimeout ? "late" : "");
  }

  EventLoops loops{2};
  ManualClock clock;
  SearchCache::Limits limits;
  std::optional<SearchCache> made;
  std::atomic<int> joined{0};
};

TEST_F(SearchCacheTest, KeepsWhatWasPublishedUnderItsKey) {
  keep("k", "one");
  EXPECT_EQ(kept("k"), "one");
  EXPECT_EQ(kept("K"), "");
  EXPECT_EQ(kept(""), "");
  EXPECT_EQ(cache().counts().entries, 1u);
}

TEST_F(SearchCacheTest, KeepsNothingThatIsNotToBeKept) {
  lead("k").publish(answer("one"), false);
  {
    const SearchCache::Lead dropped = lead("k");
  }
  EXPECT_EQ(kept("k"), "");
  EXPECT_EQ(cache().counts().entries, 0u);
  EXPECT_EQ(cache().counts().bytes, 0u);
}

TEST_F(SearchCacheTest, ForgetsAfterItsTime) {
  keep("k", "one");
  clock.advance(milliseconds(59'999));
  EXPECT_EQ(kept("k"), "one");
  clock.advance(milliseconds(1));
  EXPECT_EQ(kept("k"), "");
  EXPECT_EQ(cache().counts().outdated, 1u);
  EXPECT_EQ(cache().counts().entries, 0u);
}

TEST_F(SearchCacheTest, GivesNothingFromBeforeAChange) {
  keep("k", "one", 7);
  EXPECT_EQ(kept("k", 7), "one");
  EXPECT_EQ(kept("k", 6), "one");  // newer than what the asker knows of
  EXPECT_EQ(kept("k", 8), "");
  EXPECT_EQ(kept("k", 7), "");  // gone for good
}

TEST_F(SearchCacheTest, ALateAnswerFromBeforeAChangeDoesNotReplaceANewerOne) {
  SearchCache::Lead slow = lead("k", 1);
  keep("k", "new", 2);
  slow.publish(answer("old", 1), true);
  EXPECT_EQ(kept("k", 2), "new");
}

TEST_F(SearchCacheTest, TheLongestUnusedGivesWay) {
  limits.entries = 16 * 4;
  std::vector<std::string> keys;  // of one part, as their number shows
  for (int i = 0; keys.size() < 5; ++i) {
    const std::string key = std::to_string(i);
    if (std::hash<std::string_view>()(key) % 16 == 3) keys.push_back(key);
  }
  for (int i = 0; i < 4; ++i) keep(keys[i], keys[i]);
  EXPECT_EQ(kept(keys[0]), keys[0]);  // used: now the second is the oldest
  keep(keys[4], keys[4]);
  EXPECT_EQ(kept(keys[1]), "");
  EXPECT_EQ(kept(keys[0]), keys[0]);
  EXPECT_EQ(kept(keys[4]), keys[4]);
  EXPECT_EQ(cache().counts().evicted, 1u);
}

TEST_F(SearchCacheTest, NeverTakesMoreThanItMay) {
  limits.bytes = 1024 * 1024;
  limits.entries = 1'000;
  for (int i = 0; i < 5'000; ++i) {
    keep(std::to_string(i), std::string(static_cast<std::size_t>(i % 3'000), 'x'));
    ASSERT_LE(cache().counts().bytes, limits.bytes);
    ASSERT_LE(cache().counts().entries, limits.entries);
  }
  EXPECT_GT(cache().counts().entries, 100u);
}

TEST_F(SearchCacheTest, DoesNotKeepWhatIsLargerThanAPart) {
  limits.bytes = 1024 * 1024;
  EXPECT_EQ(cache().largest_answer(), limits.bytes / 16);
  keep("k", std::string(cache().largest_answer(), 'x'));
  EXPECT_EQ(kept("k"), "");
}

TEST_F(SearchCacheTest, OneAsksAndTheOthersWait) {
  SearchCache::Lead asking = lead("k");
  auto here = join("k");
  auto there = join("k", 0, SteadyTime::max(), 1);
  auto other = join("other");
  EXPECT_EQ(other.get(), "did not wait");
  asking.publish(answer("one"), true);
  EXPECT_EQ(here.get(), "one");
  EXPECT_EQ(there.get(), "one");
  EXPECT_EQ(kept("k"), "one");
}

TEST_F(SearchCacheTest, ThoseWhoWaitHearWhenNothingComes) {
  std::optional<SearchCache::Lead> asking(lead("k"));
  auto heard = join("k");
  asking.reset();
  EXPECT_EQ(heard.get(), "");
  lead("k").publish(answer("two"), true);  // and the next one asks
  EXPECT_EQ(kept("k"), "two");
}

TEST_F(SearchCacheTest, ThoseWhoWaitHaveADeadline) {
  SearchCache::Lead asking = lead("k");
  auto heard = join("k", 0, std::chrono::steady_clock::now());
  EXPECT_EQ(heard.get(), "late");
  auto patient = join("k");
  asking.publish(answer("one"), true);
  EXPECT_EQ(patient.get(), "one");
}

TEST_F(SearchCacheTest, WhoComesAfterAChangeDoesNotWaitForAQuestionFromBeforeIt) {
  SearchCache::Lead early = lead("k", 1);
  auto before = join("k", 1);
  SearchCache::Lead late = lead("k", 2);  // asks for itself
  auto after = join("k", 2);
  auto behind = join("k", 1);  // does not know of the change yet; newer is fine
  early.publish(answer("old", 1), false);
  EXPECT_EQ(before.get(), "old");
  late.publish(answer("new", 2), true);
  EXPECT_EQ(after.get(), "new");
  EXPECT_EQ(behind.get(), "new");
  EXPECT_EQ(kept("k", 2), "new");
}

TEST_F(SearchCacheTest, OnlySoManyWait) {
  limits.waiting = 2;
  SearchCache::Lead asking = lead("k");
  auto first = join("k"), second = join("k");
  EXPECT_TRUE(std::holds_alternative<SearchCache::Alone>(find("k")));
  asking.publish(answer("one"), true);
  EXPECT_EQ(first.get(), "one");
  EXPECT_EQ(second.get(), "one");
}

TEST_F(SearchCacheTest, WhenItGoesThoseWhoWaitHearThatNothingComes) {
  std::optional<SearchCache::Lead> asking(lead("k"));
  auto heard = join("k");
  made.reset();
  EXPECT_EQ(heard.get(), "");
  asking->publish(answer("one"), true);  // reaches nobody, harms nobody
  asking.reset();
}

TEST_F(SearchCacheTest, LoopsAtOnceNeverGetAnothersAnswer) {
  limits.bytes = 1024 * 1024;
  limits.entries = 64;
  SearchCache& shared = cache();
  std::atomic<int> wrong{0};
  std::vector<std::promise<void>> done(loops.size());
  for (std::size_t at = 0; at < loops.size(); ++at) {
    loops.at(at).post([&, at] {
      for (std::size_t i = 0; i < 10'000; ++i) {
        const std::string key = std::to_string((i * 7 + at) % 200);
        const std::uint64_t epoch = i / 1'000;
        SearchCache::Found found = shared.find(key, epoch, clock.steady_now());
        if (auto* it = std::get_if<KeptAnswer>(&found)) wrong += (*it)->body != key || (*it)->epoch < epoch;
        auto* mine = std::get_if<SearchCache::Lead>(&found);
        if (mine != nullptr && i % 5 != 0) mine->publish(answer(key, epoch), true);
      }
      done[at].set_value();
    });
  }
  for (auto& one : done) one.get_future().get();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_LE(shared.counts().entries, limits.entries);
}

}  // namespace
}  // namespace parley::gateway
