// The contract over a real Redis, and what is this adapter's own: instances that share it, and a Redis that is away.
#include "search/stores/redis_recent_searches.h"

#include <boost/asio/use_future.hpp>

#include "drivers/redis/testing/live_redis.h"
#include "search/testing/recent_searches_contract.h"

namespace parley::search::testing {
namespace {

using redis::RedisClient;

// The contract waits on loops of its own; the client answers on those that it was made for.
class OnLoop final : public RecentSearches {
 public:
  OnLoop(EventLoop& loop, RecentSearches& searches) : loop_(loop), searches_(searches) {}
  Task<Result<>> add(TenantId tenant, UserId user, std::string query, SteadyTime deadline) override {
    co_return run_on_loop(loop_, searches_.add(std::move(tenant), std::move(user), std::move(query), deadline));
  }
  Task<Result<std::vector<RecentSearch>>> list(TenantId tenant, UserId user, SteadyTime deadline) override {
    co_return run_on_loop(loop_, searches_.list(std::move(tenant), std::move(user), deadline));
  }
  Task<Result<>> clear(TenantId tenant, UserId user, SteadyTime deadline) override {
    co_return run_on_loop(loop_, searches_.clear(std::move(tenant), std::move(user), deadline));
  }
  Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) override {
    co_return run_on_loop(loop_, searches_.sweep(limit, deadline));
  }

 private:
  EventLoop& loop_;
  RecentSearches& searches_;
};

class RedisSearchesUnderTest final : public RecentSearchesUnderTest {
 public:
  explicit RedisSearchesUnderTest(const Clock& clock) : clock_(clock), loops_(1) {
    loops_.start();
    reopen();
  }
  ~RedisSearchesUnderTest() override {
    const redis::RedisScript forget(
        "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end");
    (void)run_on_loop(loops_.at(0), client_->run(forget, {{}, {prefix_}}, std::chrono::seconds(10)));
    loops_.stop();
  }
  RecentSearches& searches() override { return *on_its_loop_; }
  void reopen() override {
    if (client_) clients_.push_back(std::move(client_));  // goes once the loops have stopped
    client_ = RedisClient::make(loops_, redis::testing::live_options(), random_).value();
    searches_ = std::make_unique<RedisRecentSearches>(
        *client_, RedisRecentSearches::Options{.life = kLife, .timeout = std::chrono::seconds(10), .prefix = prefix_},
        clock_);
    on_its_loop_ = std::make_unique<OnLoop>(loops_.at(0), *searches_);
  }

 private:
  const Clock& clock_;
  const std::string prefix_ = "parley-test:" + redis::testing::random_name() + ":";
  SecureRandom random_;
  EventLoops loops_;
  std::vector<std::unique_ptr<RedisClient>> clients_;
  std::unique_ptr<RedisClient> client_;
  std::unique_ptr<RedisRecentSearches> searches_;
  std::unique_ptr<OnLoop> on_its_loop_;
};

std::unique_ptr<RecentSearchesUnderTest> make_redis_searches(const Clock& clock) {
  if (!redis::testing::redis_url()) return nullptr;
  return std::make_unique<RedisSearchesUnderTest>(clock);
}
INSTANTIATE_TEST_SUITE_P(Redis, RecentSearchesContract, ::testing::Values(make_redis_searches));

class LiveRecentSearches : public ::testing::Test {
 protected:
  LiveRecentSearches() : loops_(2) {}
  void SetUp() override {
    PARLEY_NEEDS_REDIS();
    if (!redis::testing::RedisServer::is_there()) GTEST_SKIP() << "there is no redis-server";
    loops_.start();
    server_.emplace();
  }
  void TearDown() override { loops_.stop(); }

  RedisRecentSearches& open(RedisRecentSearches::Options options = {.timeout = std::chrono::seconds(10)}) {
    clients_.push_back(RedisClient::make(loops_, {.address = server_->address(), .ca_file = {}}, random_).value());
    searches_.push_back(std::make_unique<RedisRecentSearches>(*clients_.back(), std::move(options), clock_));
    return *searches_.back();
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  Result<redis::RedisReply> ask(redis::RedisCommand command) {
    return wait(clients_.back()->run(std::move(command), std::chrono::seconds(10)));
  }

  const TenantId acme_{"acme"};
  const UserId ada_{"ada"};
  ManualClock clock_;
  SecureRandom random_;
  std::optional<redis::testing::RedisServer> server_;
  EventLoops loops_;
  std::vector<std::unique_ptr<RedisClient>> clients_;
  std::vector<std::unique_ptr<RedisRecentSearches>> searches_;
};

Task<int> add_many(RecentSearches& searches, UserId user, std::string word, int times) {
  int added = 0;
  for (int i = 0; i < times; ++i) {
    added += (co_await searches.add(TenantId("acme"), user, word + std::to_string(i), SteadyTime::max())) ? 1 : 0;
  }
  co_return added;
}

TEST_F(LiveRecentSearches, InstancesThatShareItLoseNothingOfEachOther) {
  RedisRecentSearches& one = open();
  RedisRecentSearches& two = open();
  auto first = asio::co_spawn(loops_.at(0).io(), add_many(one, ada_, "a", 25), asio::use_future);
  auto second = asio::co_spawn(loops_.at(1).io(), add_many(two, ada_, "b", 25), asio::use_future);
  EXPECT_EQ(first.get() + second.get(), 50);
  const auto listed = wait(two.list(acme_, ada_, SteadyTime::max())).value();
  EXPECT_EQ(listed.size(), 50u);
  std::vector<std::string> of_one;
  for (const RecentSearch& search : listed) {
    if (search.query.starts_with("a")) of_one.push_back(search.query);
  }
  ASSERT_EQ(of_one.size(), 25u);
  EXPECT_EQ(of_one.front(), "a24");
  EXPECT_EQ(of_one.back(), "a0");
}

TEST_F(LiveRecentSearches, NothingIsLeftOfWhatWasClearedOrSwept) {
  RedisRecentSearches& searches = open();
  ASSERT_TRUE(wait(searches.add(acme_, ada_, "topsecret", SteadyTime::max())).has_value());
  ASSERT_TRUE(wait(searches.clear(acme_, ada_, SteadyTime::max())).has_value());
  EXPECT_EQ(ask({"DBSIZE"}).value().number, 0);
  ASSERT_TRUE(wait(searches.add(acme_, ada_, "topsecret", SteadyTime::max())).has_value());
  clock_.advance(std::chrono::days(90));
  EXPECT_FALSE(wait(searches.sweep(10, SteadyTime::max())).value());
  EXPECT_EQ(ask({"DBSIZE"}).value().number, 0);
}

TEST_F(LiveRecentSearches, WithoutALifeTheyAreKeptForGood) {
  RedisRecentSearches& searches = open({.life = std::chrono::days(0), .timeout = std::chrono::seconds(10)});
  ASSERT_TRUE(wait(searches.add(acme_, ada_, "grub", SteadyTime::max())).has_value());
  clock_.advance(std::chrono::days(36'500));
  ASSERT_TRUE(wait(searches.add(acme_, ada_, "boot", SteadyTime::max())).has_value());
  EXPECT_FALSE(wait(searches.sweep(10, SteadyTime::max())).value());
  EXPECT_EQ(wait(searches.list(acme_, ada_, SteadyTime::max())).value().size(), 2u);
}

TEST_F(LiveRecentSearches, SweepingGoesOnWhereAnEngineLostAList) {
  RedisRecentSearches& searches = open();
  ASSERT_TRUE(wait(searches.add(acme_, ada_, "grub", SteadyTime::max())).has_value());
  ASSERT_TRUE(wait(searches.add(acme_, UserId("bob"), "grub", SteadyTime::max())).has_value());
  ask({"DEL", "parley:recent:of:acme\nada"}).value();
  clock_.advance(std::chrono::days(90));
  EXPECT_FALSE(wait(searches.sweep(10, SteadyTime::max())).value());
  EXPECT_EQ(ask({"DBSIZE"}).value().number, 0);
}

TEST_F(LiveRecentSearches, WithoutRedisEachCallSaysSoAndAtOnce) {
  RedisRecentSearches& searches = open();
  ASSERT_TRUE(wait(searches.add(acme_, ada_, "grub", SteadyTime::max())).has_value());
  server_->kill();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(wait(searches.add(acme_, ada_, "boot", SteadyTime::max())).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(wait(searches.list(acme_, ada_, SteadyTime::max())).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(wait(searches.clear(acme_, ada_, SteadyTime::max())).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(wait(searches.sweep(1, SteadyTime::max())).error().kind, ErrorKind::kUnavailable);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

}  // namespace
}  // namespace parley::search::testing
