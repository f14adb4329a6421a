// RedisClient against a real Redis: passwords, users, TLS, and one that goes away and comes back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>

#include "base/run_on_loop.h"
#include "drivers/redis/redis_client.h"
#include "drivers/redis/testing/live_redis.h"
#include "http/testing/certificate.h"

namespace parley::redis::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPatience{20'000};

class LiveRedisClient : public ::testing::Test {
 protected:
  LiveRedisClient() : loops_(2) {}
  void SetUp() override {
    PARLEY_NEEDS_REDIS();
    if (!RedisServer::is_there()) GTEST_SKIP() << "there is no " << RedisServer::kProgram;
    loops_.start();
  }
  void TearDown() override { loops_.stop(); }

  RedisClient& connect(RedisAddress address, std::string ca_file = {}) {
    RedisOptions with{.address = std::move(address), .ca_file = std::move(ca_file), .timeout = seconds(5)};
    clients_.push_back(RedisClient::make(loops_, std::move(with), random_).value());
    return *clients_.back();
  }
  Result<RedisReply> run(RedisClient& client, RedisCommand command) {
    return run_on_loop(loops_.at(0), client.run(std::move(command), kPatience));
  }
  bool answers_again(RedisClient& client) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      if (run(client, {"PING"})) return true;
    }
    return false;
  }

  SecureRandom random_;
  EventLoops loops_;
  std::vector<std::unique_ptr<RedisClient>> clients_;  // go first, once the loops have stopped
};

TEST_F(LiveRedisClient, KeepsAnyBytes) {
  const RedisServer server;
  RedisClient& client = connect(server.address());
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += static_cast<char>(i * 7);
  EXPECT_EQ(run(client, {"SET", "k", bytes}).value().text, "OK");
  EXPECT_EQ(run(client, {"GET", "k"}).value().text, bytes);
  EXPECT_EQ(run(client, {"GET", "none"}).value().kind, RedisReply::Kind::kNil);
  EXPECT_EQ(run(client, {"INCRBY", "n", "41"}).value().number, 41);
  EXPECT_FALSE(run(client, {"INCR", "k"}).has_value());
  EXPECT_EQ(run(client, {"INCR", "n"}).value().number, 42);
}

TEST_F(LiveRedisClient, OneDatabaseDoesNotSeeAnother) {
  const RedisServer server;
  RedisAddress third = server.address();
  third.database = 3;
  RedisClient& client = connect(server.address());
  RedisClient& other = connect(third);
  EXPECT_TRUE(run(client, {"SET", "k", "v"}).has_value());
  EXPECT_EQ(run(other, {"GET", "k"}).value().kind, RedisReply::Kind::kNil);
}

TEST_F(LiveRedisClient, APasswordIsAskedForAndGiven) {
  const RedisServer server({"--requirepass", "s3cret word"});
  EXPECT_FALSE(run(connect(server.address()), {"PING"}).has_value());
  RedisAddress wrong = server.address();
  wrong.password = Secret("another");
  EXPECT_FALSE(run(connect(wrong), {"PING"}).has_value());
  RedisAddress right = server.address();
  right.password = Secret("s3cret word");
  EXPECT_TRUE(run(connect(right), {"PING"}).has_value());
}

TEST_F(LiveRedisClient, AUserMayDoWhatItsListAllows) {
  const RedisServer server({"--user", "parley", "on", ">s3cret", "~parley:*", "+@read", "+@write", "+@scripting",
                            "+@connection", "-@dangerous"});
  RedisAddress as_user = server.address();
  as_user.user = "parley";
  as_user.password = Secret("s3cret");
  RedisClient& client = connect(as_user);
  EXPECT_TRUE(run(client, {"SET", "parley:k", "v"}).has_value());
  EXPECT_EQ(run(client, {"SET", "other", "v"}).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(run(client, {"FLUSHALL"}).error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(run(client, {"GET", "parley:k"}).has_value());
}

TEST_F(LiveRedisClient, TlsIsSpokenToWhomTheAuthoritiesVouchFor) {
  const http::testing::Certificate certificate;
  const http::testing::Certificate stranger;
  const RedisServer server({"--port", "0", "--tls-port", "PORT", "--tls-cert-file", certificate.certificate_file(),
                            "--tls-key-file", certificate.key_file(), "--tls-auth-clients", "no"});
  RedisAddress address = server.address();
  address.tls = true;
  RedisClient& client = connect(address, certificate.certificate_file());
  std::string bytes(300'000, 'x');
  EXPECT_TRUE(run(client, {"SET", "k", bytes}).has_value());
  EXPECT_EQ(run(client, {"GET", "k"}).value().text, bytes);

  EXPECT_EQ(run(connect(address, stranger.certificate_file()), {"PING"}).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(run(connect(address), {"PING"}).error().kind, ErrorKind::kUnavailable);
  address.host = "localhost";  // which the certificate does not name
  EXPECT_EQ(run(connect(address, certificate.certificate_file()), {"PING"}).error().kind, ErrorKind::kUnavailable);
  address.host = "127.0.0.1";
  address.tls = false;
  EXPECT_EQ(run(connect(address), {"PING"}).error().kind, ErrorKind::kUnavailable);
}

TEST_F(LiveRedisClient, AKilledRedisIsFoundAgainBothOnceAndOften) {
  RedisServer server;
  RedisClient& client = connect(server.address());
  const RedisScript script("return redis.call('INCR', KEYS[1])");
  const auto count = [&] { return run_on_loop(loops_.at(0), client.run(script, {{"n"}, {}}, kPatience)); };
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(answers_again(client));
    EXPECT_EQ(count().value().number, 1);  // a Redis that is new knows neither the script nor the number
    EXPECT_EQ(count().value().number, 2);
    server.kill();
    EXPECT_EQ(count().error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(count().error().kind, ErrorKind::kUnavailable);
    server.start();
  }
  EXPECT_TRUE(answers_again(client));
}

TEST_F(LiveRedisClient, AFrozenRedisCostsItsDeadlines) {
  RedisServer server;
  RedisClient& client = connect(server.address());
  ASSERT_TRUE(answers_again(client));
  server.freeze();
  EXPECT_EQ(run_on_loop(loops_.at(0), client.run({"GET", "x"}, milliseconds(25))).error().kind, ErrorKind::kTimeout);
  server.thaw();
  EXPECT_TRUE(answers_again(client));
}

Task<int> set_and_get(RedisClient& client, int from, int times) {
  int right = 0;
  for (int i = from; i < from + times; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (!co_await client.run({"SET", key, std::to_string(i)}, kPatience)) continue;
    const auto reply = co_await client.run({"GET", key}, kPatience);
    right += reply && reply->text == std::to_string(i) ? 1 : 0;
  }
  co_return right;
}

TEST_F(LiveRedisClient, ManyAtOnceOnAllLoopsEachGetTheirOwnAnswers) {
  const RedisServer server;
  RedisClient& client = connect(server.address());
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 40; ++i) {
    EventLoop& loop = loops_.at(static_cast<std::size_t>(i) % 2);
    waiting.push_back(asio::co_spawn(loop.io(), set_and_get(client, i * 100, 100), asio::use_future));
  }
  int right = 0;
  for (auto& each : waiting) right += each.get();
  EXPECT_EQ(right, 4000);
  EXPECT_LE(client.counters().open_connections, 4);
  EXPECT_LT(client.counters().writes, 8000u);
}

}  // namespace
}  // namespace parley::redis::testing
