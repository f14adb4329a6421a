// The contract over a real Redis, and what is this adapter's own: keys that tell nothing and go by themselves, and a
// Redis that is away or slow.
#include "gateway/stores/redis_shared_answers.h"

#include <gmock/gmock.h>

#include "drivers/redis/testing/live_redis.h"
#include "gateway/testing/shared_answers_contract.h"

namespace parley::gateway::testing {
namespace {

using redis::RedisClient;
using redis::testing::RedisServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPatience{10'000};

// Two gateways, each with a client of its own, over one connection, so that a PING comes after what was told.
class TwoGateways final : public SharedAnswersUnderTest {
 public:
  explicit TwoGateways(redis::RedisOptions redis, milliseconds wait = kPatience) : loops_(1) {
    redis.connections_per_loop = 1;
    for (auto* const client : {&first_client_, &second_client_}) {
      *client = RedisClient::make(loops_, redis, random_).value();
    }
    const RedisSharedAnswers::Options options{.wait = wait, .lock_life = kPatience, .prefix = prefix_};
    first_ = std::make_unique<RedisSharedAnswers>(*first_client_, options, random_, clock_);
    second_ = std::make_unique<RedisSharedAnswers>(*second_client_, options, random_, clock_);
    loops_.start();
  }
  ~TwoGateways() override {
    const redis::RedisScript forget(
        "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end");
    (void)run_on_loop(loops_.at(0), first_client_->run(forget, {{}, {prefix_}}, seconds(1)));
    loops_.stop();
  }
  SharedAnswers& one() override { return *first_; }
  SharedAnswers& other() override { return *second_; }
  EventLoop& loop() override { return loops_.at(0); }
  void wait_for_told() override {
    // Twice: a script that Redis did not know goes once more after the first answer.
    for (int round = 0; round < 2; ++round) {
      for (RedisClient* const client : {first_client_.get(), second_client_.get()}) {
        (void)run_on_loop(loop(), client->ping(kPatience));
      }
    }
  }
  RedisClient& client() { return *first_client_; }

 private:
  const std::string prefix_ = "parley-test:" + redis::testing::random_name() + ":";
  const SystemClock clock_;
  SecureRandom random_;
  EventLoops loops_;
  std::unique_ptr<RedisClient> first_client_;
  std::unique_ptr<RedisClient> second_client_;
  std::unique_ptr<RedisSharedAnswers> first_;
  std::unique_ptr<RedisSharedAnswers> second_;
};

std::unique_ptr<SharedAnswersUnderTest> make_redis_answers() {
  if (!redis::testing::redis_url()) return nullptr;
  return std::make_unique<TwoGateways>(redis::testing::live_options());
}
INSTANTIATE_TEST_SUITE_P(Redis, SharedAnswersContract, ::testing::Values(make_redis_answers));

class LiveSharedAnswers : public ::testing::Test {
 protected:
  void SetUp() override {
    PARLEY_NEEDS_REDIS();
    if (!RedisServer::is_there()) GTEST_SKIP() << "there is no " << RedisServer::kProgram;
    server_.emplace();
  }
  redis::RedisOptions options() const { return {.address = server_->address(), .ca_file = {}}; }
  static SharedAnswers::Found find(TwoGateways& at, std::string key = "what ada asked") {
    return run_on_loop(at.loop(), at.one().find(std::move(key), {"i", 5, 3}));
  }
  static redis::RedisReply ask(TwoGateways& at, redis::RedisCommand command) {
    return run_on_loop(at.loop(), at.client().run(std::move(command), kPatience)).value();
  }
  static void publish(TwoGateways& at, std::string key, SharedAnswer answer, milliseconds ttl) {
    std::promise<void> done;
    at.loop().post([&] {
      at.one().publish(std::move(key), "", std::move(answer), ttl);
      done.set_value();
    });
    done.get_future().get();
    at.wait_for_told();
  }

  std::optional<RedisServer> server_;
};

TEST_F(LiveSharedAnswers, NoKeyTellsOfItsQuestionAndEachGoesByItself) {
  TwoGateways gateways(options());
  (void)find(gateways);
  publish(gateways, "what ada asked", {.body = "b", .instance = "i", .number = 5, .age = seconds(10)}, seconds(60));
  const auto keys = ask(gateways, {"KEYS", "*"}).items;
  ASSERT_EQ(keys.size(), 2u);
  for (const redis::RedisReply& key : keys) {
    EXPECT_EQ(key.text.find("ada"), std::string::npos);
    const std::int64_t life = ask(gateways, {"PTTL", key.text}).number;
    EXPECT_GT(life, 0);
    EXPECT_LE(life, 50'000);
  }
}

TEST_F(LiveSharedAnswers, LargeAnswersComeWhole) {
  TwoGateways gateways(options());
  const std::string body(256 * 1024, 'x');
  publish(gateways, "k", {.body = body, .instance = "i", .number = 5}, seconds(60));
  const auto found = find(gateways, "k");
  ASSERT_TRUE(std::holds_alternative<SharedAnswer>(found));
  EXPECT_EQ(std::get<SharedAnswer>(found).body, body);
}

TEST_F(LiveSharedAnswers, WithoutRedisOrWithASlowOneThereIsNothingThereAndSoon) {
  TwoGateways gateways(options(), milliseconds(25));
  for (int round = 0; round < 2; ++round) {
    const auto is_there = [&] {
      const auto until = std::chrono::steady_clock::now() + kPatience;
      while (std::chrono::steady_clock::now() < until) {
        if (!std::holds_alternative<SharedAnswers::Away>(find(gateways))) return true;
      }
      return false;
    };
    ASSERT_TRUE(is_there());
    if (round == 0) {
      server_->kill();
    } else {
      server_->freeze();
    }
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i) EXPECT_TRUE(std::holds_alternative<SharedAnswers::Away>(find(gateways))) << i;
    EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(3));
    if (round == 0) {
      server_->start();
    } else {
      server_->thaw();
    }
  }
}

}  // namespace
}  // namespace parley::gateway::testing
