// Searches through the whole gateway: which routes are cached, and that the cache follows search from start to stop.
#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>
#include <thread>

#include "gateway/gateway.h"
#include "gateway/gateway_routes.h"
#include "gateway/testing/held_upstream.h"
#include "tenancy/caller.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using testing::HeldUpstream;

class IsAda final : public http::Middleware {
 public:
  Verdict before(http::Exchange& exchange) override {
    exchange.caller = std::make_shared<const Caller>(Caller{.tenant = TenantId("acme"), .user = UserId("ada")});
    return {};
  }
};

struct Answer {
  int status;
  std::string body;
  std::optional<std::string> cache;
};

class GatewaySearchTest : public ::testing::Test {
 protected:
  GatewaySearchTest() {
    search->answer_at_once(HeldUpstream::text("found"));
    messaging->answer_at_once(HeldUpstream::text("{}"));
    changes->answer_at_once(
        HeldUpstream::text(R"({"instance":"i","through":1,"tenants":[],"log_head":1,"indexed":1})"));
    loops.start();
  }
  ~GatewaySearchTest() override {
    std::promise<void> stopped;
    loops.at(0).post([&] { gateway->stop_checks([&stopped] { stopped.set_value(); }); });
    stopped.get_future().get();
    loops.stop();
  }
  void open() {
    gateway.emplace(
        options, GatewayDependencies{
                     .upstreams = {{Role::kSearch, search}, {Role::kMessaging, messaging}, {Role::kMedia, messaging}},
                     .authentication = std::make_shared<IsAda>(),
                     .more_routes = {},
                     .search_changes = feed,
                     .search_token = [] { return std::string("token"); },
                     .metrics = metrics,
                     .clock = clock,
                     .random = random,
                     .timer = timer,
                     .loops = loops.size()});
    loops.at(0).post([this] { gateway->start_checks(loops.at(0)); });
  }
  Answer ask(std::string target, http::Method method = http::Method::kGet) {
    return asio::co_spawn(loops.at(0).io(), serve(gateway->service(), method, std::move(target)), asio::use_future)
        .get();
  }
  static Task<Answer> serve(http::Service& service, http::Method method, std::string target) {
    http::TextBody nothing("");
    http::Request request;
    request.method = method;
    request.method_text = to_string(method);
    request.set_target(target);
    request.fields.add("Authorization", "Bearer t");
    request.body = &nothing;
    request.peer = "10.0.0.1";
    http::Response response = co_await service.serve(request);
    Answer answer{response.status, std::move(response.body), std::nullopt};
    if (const auto value = response.headers.find("X-Cache")) answer.cache = *value;
    co_return answer;
  }
  // Search is heard a moment after the start.
  void wait_until_heard() { changes->wait_for_calls(2); }

  EventLoops loops{1};
  SystemClock clock;
  SecureRandom random;
  LoopTimer timer;
  Metrics metrics;
  GatewayOptions options;
  std::shared_ptr<HeldUpstream> search = std::make_shared<HeldUpstream>();
  std::shared_ptr<HeldUpstream> messaging = std::make_shared<HeldUpstream>();
  std::shared_ptr<HeldUpstream> changes = std::make_shared<HeldUpstream>();
  std::shared_ptr<HeldUpstream> feed = changes;
  std::optional<Gateway> gateway;
  int questions = 0;
};

TEST_F(GatewaySearchTest, KeepsSearchesButNotSuggestionsAndRecentOnes) {
  open();
  wait_until_heard();
  for (const char* path : {"/v1/search/messages", "/v1/search/conversations", "/v1/search/users", "/v1/search"}) {
    const std::string target = std::string(path) + "?q=hello";
    EXPECT_EQ(ask(target).cache, "miss") << path;
    const Answer again = ask(target);
    EXPECT_EQ(again.cache, "hit") << path;
    EXPECT_EQ(again.body, "found");
  }
  for (const char* path : {"/v1/search/suggestions?q=h", "/v1/search/recent"}) {
    for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(path).cache, std::nullopt) << path;
  }
  EXPECT_EQ(ask("/v1/search/recent", http::Method::kDelete).status, 200);
  EXPECT_EQ(ask("/v1/search/messages", http::Method::kPost).status, 405);
  EXPECT_EQ(ask("/v1/internal/changes").status, 404);
  EXPECT_NE(metrics.text().find("parley_gateway_search_cache_entries 4"), std::string::npos);
}

TEST_F(GatewaySearchTest, AChangeThatSearchTellsOfTakesEffect) {
  open();
  wait_until_heard();
  ask("/v1/search?q=hello");
  EXPECT_EQ(ask("/v1/search?q=hello").cache, "hit");
  search->answer_at_once(HeldUpstream::text("new"));
  changes->answer_at_once(HeldUpstream::text(R"({"instance":"i","through":2,"tenants":["acme"]})"));
  changes->wait_for_calls(changes->calls() + 2);
  EXPECT_EQ(ask("/v1/search?q=hello").body, "new");
}

TEST_F(GatewaySearchTest, AWriteThatPassesTakesEffectWithItsAnswer) {
  open();
  wait_until_heard();
  for (const auto& [method, target] : std::initializer_list<std::pair<http::Method, const char*>>{
           {http::Method::kDelete, "/v1/messages/m1"},
           {http::Method::kPut, "/v1/messages/m1"},
           {http::Method::kPost, "/v1/messages"},
           {http::Method::kDelete, "/v1/conversations/c1/members/ada"},
           {http::Method::kDelete, "/v1/conversations/c1"},
           {http::Method::kPut, "/v1/users/me"},
           {http::Method::kDelete, "/v1/media/files/f1"}}) {
    const std::string question = std::string("/v1/search?q=hello&limit=") + std::to_string(questions++);
    while (ask(question).cache != "hit") std::this_thread::yield();
    EXPECT_EQ(ask(target, method).status, 200) << target;
    EXPECT_EQ(ask(question).cache, "miss") << target;
  }
}

TEST_F(GatewaySearchTest, WhatChangesNothingThatSearchesShowKeepsThem) {
  open();
  wait_until_heard();
  ask("/v1/search?q=hello");
  ask("/v1/messages/m1");
  ask("/v1/conversations/c1/read", http::Method::kPut);
  ask("/v1/media/upload/chunk/u1", http::Method::kPost);
  EXPECT_EQ(ask("/v1/search?q=hello").cache, "hit");
  messaging->answer_at_once(HeldUpstream::text("{}", 403));
  EXPECT_EQ(ask("/v1/messages/m1", http::Method::kDelete).status, 403);
  EXPECT_EQ(ask("/v1/search?q=hello").cache, "hit");
  messaging->answer_at_once(HeldUpstream::text("{}", 504));  // it may have been done
  EXPECT_EQ(ask("/v1/messages/m1", http::Method::kDelete).status, 504);
  EXPECT_EQ(ask("/v1/search?q=hello").cache, "miss");
}

TEST_F(GatewaySearchTest, WithoutNewsOfSearchThereIsNoCache) {
  feed = nullptr;
  open();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("/v1/search?q=hello").cache, std::nullopt);
  EXPECT_EQ(changes->calls(), 0u);
}

TEST_F(GatewaySearchTest, ATimeOf0IsNoCache) {
  options.search_cache.ttl = milliseconds(0);
  open();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("/v1/search?q=hello").cache, std::nullopt);
  EXPECT_EQ(changes->calls(), 0u);
}

TEST(GatewayOptionsOfSearch, AreTheOperators) {
  const std::vector<std::string> none;
  const auto defaults = load_settings({}, none);
  EXPECT_EQ(gateway_options(defaults->settings).search_cache.ttl, std::chrono::seconds(60));
  EXPECT_EQ(gateway_options(defaults->settings).search_cache.bytes, 32u * 1024 * 1024);
  const auto off = load_settings({{"SEARCH_CACHE_TTL_SECONDS", "0"}, {"SEARCH_CACHE_MAX_BYTES", "1048576"}}, none);
  EXPECT_EQ(gateway_options(off->settings).search_cache.ttl, milliseconds(0));
  EXPECT_EQ(gateway_options(off->settings).search_cache.bytes, 1024u * 1024);
}

}  // namespace
}  // namespace parley::gateway
