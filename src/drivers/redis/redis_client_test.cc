// RedisClient against a server that misbehaves. Against a real one: redis_client_live_test.cc.
#include "drivers/redis/redis_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/use_future.hpp>
#include <thread>

#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "drivers/redis/testing/fake_redis.h"
#include "telemetry/log.h"

namespace parley::redis::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPatience{20'000};

std::string well(const RedisCommand& command) {
  return command.at(0) == "PING" ? "+PONG\r\n" : "+OK\r\n";
}

class RedisClientTest : public ::testing::Test {
 protected:
  RedisClientTest() : loops_(1) { loops_.start(); }
  ~RedisClientTest() override { loops_.stop(); }

  RedisOptions options(std::uint16_t port) {
    RedisOptions made;
    made.address.host = "127.0.0.1";
    made.address.port = port;
    made.connections_per_loop = 1;
    made.timeout = kPatience;
    return made;
  }
  void connect_to(const FakeRedis& server) { connect_with(options(server.port())); }
  void connect_with(RedisOptions with) { client_ = RedisClient::make(loops_, std::move(with), random_).value(); }
  Result<RedisReply> run(RedisCommand command, milliseconds timeout = kPatience) {
    return run_on_loop(loops_.at(0), client_->run(std::move(command), timeout));
  }
  // Asks until it is answered: a connection that was lost is tried again after a while.
  bool is_well_again() {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      if (run({"GET", "x"}, seconds(1))) return true;
    }
    return false;
  }

  SecureRandom random_;
  EventLoops loops_;
  std::unique_ptr<RedisClient> client_;
};

TEST_F(RedisClientTest, AnswersWhatRedisAnswers) {
  FakeRedis server(
      [](const RedisCommand& command) { return command.at(0) == "GET" ? "$3\r\nabc\r\n" : well(command); });
  connect_to(server);
  EXPECT_EQ(run({"GET", "x"}).value().text, "abc");
  EXPECT_EQ(run({"SET", "x", "y"}).value().text, "OK");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(RedisClientTest, SaysWhoItIsAndWhichDatabaseItMeans) {
  std::mutex mutex;
  std::vector<RedisCommand> heard;
  FakeRedis server([&](const RedisCommand& command) {
    const std::lock_guard lock(mutex);
    heard.push_back(command);
    return well(command);
  });
  RedisOptions with = options(server.port());
  with.address.user = "parley";
  with.address.password = Secret("topsecret");
  with.address.database = 3;
  connect_with(with);
  EXPECT_TRUE(run({"GET", "x"}).has_value());
  const std::lock_guard lock(mutex);
  EXPECT_THAT(heard, ::testing::ElementsAre(RedisCommand{"AUTH", "parley", "topsecret"}, RedisCommand{"SELECT", "3"},
                                            RedisCommand{"PING"}, RedisCommand{"GET", "x"}));
}

TEST_F(RedisClientTest, WithNobodyThereIsUnavailableAtOnce) {
  std::uint16_t port = 0;
  {
    FakeRedis gone(well);
    port = gone.port();
  }
  connect_with(options(port));
  for (int i = 0; i < 20; ++i) {
    const auto reply = run({"GET", "x"});
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().kind, ErrorKind::kUnavailable);
    EXPECT_TRUE(reply.error().retry_after.has_value());
    EXPECT_EQ(reply.error().detail.find("127.0.0.1"), std::string::npos);
  }
  EXPECT_GE(client_->counters().connect_failures, 1u);
  EXPECT_EQ(client_->counters().open_connections, 0);
}

TEST_F(RedisClientTest, APauseThatGrowsStandsBetweenTriesToConnect) {
  FakeRedis server([](const RedisCommand&) { return FakeRedis::kHangUp; });
  connect_to(server);
  const auto until = std::chrono::steady_clock::now() + milliseconds(600);
  while (std::chrono::steady_clock::now() < until) EXPECT_FALSE(run({"GET", "x"}).has_value());
  EXPECT_LE(server.connections(), 60);
}

TEST_F(RedisClientTest, ASilentRedisCostsTheDeadlineAndNoMore) {
  FakeRedis server([](const RedisCommand& command) { return command.at(0) == "PING" ? "+PONG\r\n" : ""; });
  connect_to(server);
  ASSERT_TRUE(run_on_loop(loops_.at(0), client_->ping(kPatience)).has_value());
  const auto began = std::chrono::steady_clock::now();
  const auto reply = run({"GET", "x"}, milliseconds(20));
  EXPECT_EQ(reply.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(reply.error().code, "deadline_exceeded");
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(20));
  EXPECT_EQ(client_->counters().timeouts, 1u);
}

TEST_F(RedisClientTest, AnAnswerThatComesAfterItsDeadlineIsNotTakenForThatOfAnother) {
  std::atomic<bool> late{false};
  FakeRedis server([&](const RedisCommand& command) -> std::string {
    if (command.at(0) == "PING") return "+PONG\r\n";
    if (command.at(1) == "slow") {
      while (!late) std::this_thread::yield();
    }
    return "$4\r\n" + command.at(1).substr(0, 4) + "\r\n";
  });
  connect_to(server);
  ASSERT_TRUE(run_on_loop(loops_.at(0), client_->ping(kPatience)).has_value());
  EXPECT_EQ(run({"GET", "slow"}, milliseconds(10)).error().kind, ErrorKind::kTimeout);
  late = true;
  EXPECT_EQ(run({"GET", "next"}).value().text, "next");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(RedisClientTest, ARedisThatSaysNothingForTooLongIsGivenUpAndTriedAgain) {
  std::atomic<bool> silent{true};
  FakeRedis server(
      [&](const RedisCommand& command) { return silent && command.at(0) != "PING" ? std::string() : well(command); });
  RedisOptions with = options(server.port());
  with.timeout = milliseconds(200);
  connect_with(with);
  const auto reply = run({"GET", "x"});  // whatever its own deadline is
  EXPECT_EQ(reply.error().kind, ErrorKind::kUnavailable);
  EXPECT_GE(client_->counters().lost_connections, 1u);
  silent = false;
  EXPECT_TRUE(is_well_again());
}

TEST_F(RedisClientTest, AListenerThatNeverAnswersTheGreetingIsGivenUp) {
  FakeRedis server([](const RedisCommand&) { return std::string(); });
  RedisOptions with = options(server.port());
  with.timeout = milliseconds(100);
  connect_with(with);
  EXPECT_EQ(run({"GET", "x"}).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(client_->counters().open_connections, 0);
}

TEST_F(RedisClientTest, GarbageEndsTheConnectionAndNothingElse) {
  std::atomic<int> bad{3};
  FakeRedis server([&](const RedisCommand& command) {
    if (command.at(0) == "GET" && bad-- > 0) return std::string("HTTP/1.1 200 OK\r\n\r\n");
    return well(command);
  });
  connect_to(server);
  EXPECT_EQ(run({"GET", "x"}).error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(is_well_again());
}

TEST_F(RedisClientTest, AReplyTooManyEndsTheConnection) {
  std::atomic<int> bad{1};
  FakeRedis server([&](const RedisCommand& command) {
    return command.at(0) == "GET" && bad-- > 0 ? std::string("+OK\r\n+OK\r\n") : well(command);
  });
  connect_to(server);
  (void)run({"GET", "x"});
  EXPECT_TRUE(is_well_again());
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(RedisClientTest, AConnectionCutInTheMiddleFailsWhatWasUnderWayAndComesBack) {
  std::atomic<int> cuts{1};
  FakeRedis server([&](const RedisCommand& command) {
    return command.at(0) == "GET" && cuts-- > 0 ? FakeRedis::kHangUp : well(command);
  });
  connect_to(server);
  EXPECT_EQ(run({"GET", "x"}).error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(is_well_again());
}

TEST_F(RedisClientTest, ARefusalIsUnavailableAndOnlyItsCodeIsLogged) {
  std::mutex mutex;
  std::string lines;
  {
    const Log log({.sink = [&](std::string_view more) {
      const std::lock_guard lock(mutex);
      lines += more;
    }});
    FakeRedis server([](const RedisCommand& command) {
      return command.at(0) == "GET" ? std::string("-NOPERM of topsecret\r\n") : well(command);
    });
    connect_to(server);
    EXPECT_EQ(run({"GET", "topsecret"}).error().kind, ErrorKind::kUnavailable);
    FakeRedis strict([](const RedisCommand&) { return std::string("-WRONGPASS topsecret is wrong\r\n"); });
    RedisOptions with = options(strict.port());
    with.address.password = Secret("topsecret");
    loops_.stop();
    client_.reset();
    EventLoops loops(1);
    loops.start();
    auto refused = RedisClient::make(loops, with, random_).value();
    EXPECT_EQ(run_on_loop(loops.at(0), refused->run({"GET", "x"}, kPatience)).error().kind, ErrorKind::kUnavailable);
    loops.stop();
  }
  EXPECT_THAT(lines, ::testing::HasSubstr("NOPERM"));
  EXPECT_THAT(lines, ::testing::HasSubstr("WRONGPASS"));
  EXPECT_THAT(lines, ::testing::Not(::testing::HasSubstr("topsecret")));
}

Task<int> run_many(RedisClient& client, int times) {
  int answered = 0;
  for (int i = 0; i < times; ++i) answered += (co_await client.run({"GET", "x"}, kPatience)) ? 1 : 0;
  co_return answered;
}

TEST_F(RedisClientTest, WhatComesTogetherGoesOutTogether) {
  FakeRedis server(well);
  connect_to(server);
  std::vector<std::future<int>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(asio::co_spawn(loops_.at(0).io(), run_many(*client_, 20), asio::use_future));
  }
  int answered = 0;
  for (auto& each : waiting) answered += each.get();
  EXPECT_EQ(answered, 1000);
  EXPECT_GE(server.longest_pipeline(), 10);
  EXPECT_LE(client_->counters().writes, 500u);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(RedisClientTest, BeyondItsBoundCommandsAreRefusedInsteadOfPilingUp) {
  FakeRedis server([](const RedisCommand& command) { return command.at(0) == "PING" ? "+PONG\r\n" : ""; });
  RedisOptions with = options(server.port());
  with.most_commands = 8;
  connect_with(with);
  ASSERT_TRUE(run_on_loop(loops_.at(0), client_->ping(kPatience)).has_value());
  std::vector<std::future<Result<RedisReply>>> waiting;
  for (int i = 0; i < 9; ++i) {
    waiting.push_back(asio::co_spawn(loops_.at(0).io(), client_->run({"GET", "x"}, seconds(2)), asio::use_future));
  }
  int refused = 0;
  for (auto& each : waiting) refused += each.get().error().kind == ErrorKind::kUnavailable ? 1 : 0;
  EXPECT_EQ(refused, 1);
}

TEST_F(RedisClientTest, AScriptThatRedisDoesNotKnowIsTaughtOnce) {
  const RedisScript script("return 1");
  EXPECT_EQ(script.sha1, "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
  std::atomic<bool> known{false};
  FakeRedis server([&](const RedisCommand& command) {
    if (command.at(0) == "EVALSHA")
      return known ? std::string(":1\r\n") : std::string("-NOSCRIPT No matching script.\r\n");
    if (command.at(0) == "EVAL") {
      known = command.at(1) == "return 1" && command.at(2) == "1" && command.at(3) == "k" && command.at(4) == "v";
      return std::string(":1\r\n");
    }
    return well(command);
  });
  connect_to(server);
  for (int i = 0; i < 3; ++i) {
    const auto reply = run_on_loop(loops_.at(0), client_->run(script, {{"k"}, {"v"}}, kPatience));
    EXPECT_EQ(reply.value().number, 1);
  }
  EXPECT_THAT(server.verbs(), ::testing::ElementsAre("PING", "EVALSHA", "EVAL", "EVALSHA", "EVALSHA"));
}

TEST_F(RedisClientTest, WhatIsUnderWayWhenTheProcessEndsIsLetGo) {
  FakeRedis server([](const RedisCommand& command) { return command.at(0) == "PING" ? "+PONG\r\n" : ""; });
  connect_to(server);
  ASSERT_TRUE(run_on_loop(loops_.at(0), client_->ping(kPatience)).has_value());
  asio::co_spawn(loops_.at(0).io(), client_->run({"GET", "x"}, kPatience), asio::detached);
  loops_.stop();
  client_.reset();
}

TEST_F(RedisClientTest, AFileThatHoldsNoAuthoritiesIsRefusedByName) {
  RedisOptions with = options(1);
  with.address.tls = true;
  with.ca_file = "/dev/null/ca.pem";
  const auto client = RedisClient::make(loops_, with, random_);
  ASSERT_FALSE(client.has_value());
  EXPECT_EQ(client.error().fields.at(0).path, "REDIS_CA_FILE");
}

}  // namespace
}  // namespace parley::redis::testing
