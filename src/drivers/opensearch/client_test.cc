// The client against an engine that fails in every way that one can.
#include "drivers/opensearch/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/run_on_loop.h"
#include "drivers/opensearch/testing/fake_engine.h"
#include "http/testing/certificate.h"

namespace parley::opensearch {
namespace {

using std::chrono::milliseconds;
using testing::Asked;
using testing::FakeEngine;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using testing::Told;

class OpenSearchClient : public ::testing::Test {
 protected:
  OpenSearchClient() { loops_.start(); }
  ~OpenSearchClient() override { loops_.stop(); }

  Client& client(std::vector<http::Url> urls, std::string authorization = {}) {
    client_.emplace(Client::Surroundings{loops_, clock_, timer_},
                    ClientOptions{.urls = std::move(urls),
                                  .authorization = std::move(authorization),
                                  .tls = {},
                                  .timeout = milliseconds(500),
                                  .pause = milliseconds(1),
                                  .node_rest = milliseconds(60'000)});
    return *client_;
  }
  Result<Answer> ask(Client& client, http::Method method = http::Method::kGet, std::string body = {}) {
    return run_on_loop(loops_.at(0), client.ask({method, "/x", std::move(body)}, SteadyTime::max()));
  }

  SystemClock clock_;
  LoopTimer timer_;
  EventLoops loops_{1};
  std::optional<Client> client_;
};

TEST_F(OpenSearchClient, AsksWithItsCredentialsAndReadsJson) {
  FakeEngine engine([](const Asked&) { return Told{.body = R"({"a":1})"}; });
  Client& with_password = client({engine.url()}, basic_authorization("parley", "pass:word"));
  const auto answer = ask(with_password, http::Method::kPost, R"({"q":2})");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body.at("a").as_int64(), 1);
  ASSERT_THAT(engine.asked(), SizeIs(1));
  EXPECT_EQ(engine.asked()[0].authorization, "Basic cGFybGV5OnBhc3M6d29yZA==");
  EXPECT_EQ(engine.asked()[0].body, R"({"q":2})");
  ASSERT_TRUE(ask(client({engine.url()}, api_key_authorization("abc="))).has_value());
  EXPECT_EQ(engine.asked()[1].authorization, "ApiKey abc=");
}

TEST_F(OpenSearchClient, NotFoundAndConflictAreAnswers) {
  int status = 404;
  FakeEngine engine([&](const Asked&) { return Told{.status = status, .body = R"({"found":false})"}; });
  EXPECT_EQ(ask(client({engine.url()}))->status, 404);
  status = 409;
  EXPECT_EQ(ask(*client_)->status, 409);
  EXPECT_THAT(engine.asked(), SizeIs(2));
}

TEST_F(OpenSearchClient, AsksAgainWhenTheEngineAsksForPatience) {
  int answered = 0;
  FakeEngine engine([&](const Asked&) { return ++answered < 3 ? Told{.status = 429} : Told{}; });
  EXPECT_TRUE(ask(client({engine.url()})).has_value());
  EXPECT_EQ(answered, 3);
}

TEST_F(OpenSearchClient, PatienceEndsAndSaysWhenToComeBack) {
  int status = 429;
  FakeEngine engine([&](const Asked&) { return Told{.status = status}; });
  for (const auto& [answered, code] : {std::pair{429, "overloaded"}, std::pair{503, "unavailable"}}) {
    status = answered;
    const auto answer = ask(client({engine.url()}));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(answer.error().code, code);
    EXPECT_TRUE(answer.error().retry_after.has_value());
  }
  EXPECT_THAT(engine.asked(), SizeIs(8));
}

TEST_F(OpenSearchClient, ANodeThatIsAwayIsPassedOverForAWhile) {
  http::Url away;
  {
    FakeEngine gone([](const Asked&) { return Told{}; });
    away = gone.url();
  }
  FakeEngine engine([](const Asked&) { return Told{}; });
  client({away, engine.url()});
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(ask(*client_).has_value());
  EXPECT_THAT(engine.asked(), SizeIs(6));
}

TEST_F(OpenSearchClient, WithoutAnyNodeItFailsAtOnce) {
  http::Url away;
  {
    FakeEngine gone([](const Asked&) { return Told{}; });
    away = gone.url();
  }
  client({away});
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(*client_);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
    EXPECT_TRUE(answer.error().retry_after.has_value());
  }
}

TEST_F(OpenSearchClient, AnEngineThatSaysNothingCostsItsTimeOnce) {
  FakeEngine engine([](const Asked&) { return Told{.never = true}; });
  const auto answer = ask(client({engine.url()}));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(answer.error().code, "deadline_exceeded");
  EXPECT_THAT(engine.asked(), SizeIs(1));
}

TEST_F(OpenSearchClient, APastDeadlineAsksNothing) {
  FakeEngine engine([](const Asked&) { return Told{}; });
  client({engine.url()});
  const auto answer =
      run_on_loop(loops_.at(0), client_->ask({http::Method::kGet, "/x", {}}, clock_.steady_now() - milliseconds(1)));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, "deadline_exceeded");
  EXPECT_THAT(engine.asked(), SizeIs(0));
}

TEST_F(OpenSearchClient, WhatIsNoJsonIsNoAnswer) {
  std::string body;
  FakeEngine engine([&](const Asked&) { return Told{.body = body}; });
  for (const char* text : {"<html>", "{\"a\":", "{} {}", "\xff"}) {
    body = text;
    const auto answer = ask(client({engine.url()}));
    ASSERT_FALSE(answer.has_value()) << text;
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
  }
  body.clear();
  EXPECT_TRUE(ask(client({engine.url()})).has_value());
}

TEST_F(OpenSearchClient, RefusalsSayWhatTheyAreAndNothingOfTheDocument) {
  Told told;
  FakeEngine engine([&](const Asked&) { return told; });
  client({engine.url()});
  told = {.status = 400, .body = R"({"error":{"type":"mapper_parsing_exception","reason":"secret text"}})"};
  auto answer = ask(*client_);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
  EXPECT_THAT(answer.error().detail, HasSubstr("mapper_parsing_exception"));
  EXPECT_THAT(answer.error().detail, Not(HasSubstr("secret")));
  told = {.status = 413, .body = "too long"};
  EXPECT_EQ(ask(*client_).error().kind, ErrorKind::kTooLarge);
  for (const int status : {401, 403, 500}) {
    told = {.status = status, .body = R"({"error":"no"})"};
    EXPECT_EQ(ask(*client_).error().kind, ErrorKind::kUnavailable) << status;
  }
  told = {.status = 403,
          .body = R"({"error":{"type":"cluster_block_exception",)"
                  R"("reason":"blocked by: [FORBIDDEN/12/index read-only / allow delete (api)];"}})"};
  EXPECT_EQ(ask(*client_).error().code, "storage_full");
}

TEST(OpenSearchUrls, AreReadFromAList) {
  const auto urls = parse_node_urls("http://a:9200, https://b/base", "ELASTICSEARCH_URL");
  ASSERT_TRUE(urls.has_value());
  ASSERT_THAT(*urls, SizeIs(2));
  EXPECT_EQ(urls->at(0).port, 9200);
  EXPECT_TRUE(urls->at(1).tls);
  EXPECT_EQ(urls->at(1).path, "/base");
  for (const char* bad :
       {"", "a", "http://a,", "ftp://a", "http://user:hunter2@a", "http://a?x=y"}) {  // not-a-secret: refused
    const auto refused = parse_node_urls(bad, "ELASTICSEARCH_URL");
    if (std::string_view(bad) == "http://a,") continue;
    ASSERT_FALSE(refused.has_value()) << bad;
    EXPECT_THAT(refused.error().detail, Not(HasSubstr("hunter2")));
  }
}

}  // namespace
}  // namespace parley::opensearch
