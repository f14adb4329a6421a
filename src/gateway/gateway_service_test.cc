// The gateway's service as a whole, before a messaging service of this process and before one over HTTP: the same
// tests.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/asio/use_future.hpp>
#include <cctype>
#include <future>
#include <thread>

#include "gateway/gateway.h"
#include "gateway/gateway_routes.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/held_upstream.h"
#include "http/http_upstream.h"
#include "http/in_process_upstream.h"
#include "http/problem.h"
#include "http/server.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Answers with what it was asked; /users/ID with the problem or status that ID names.
class EchoService final : public http::Service {
 public:
  Task<http::Response> serve(http::Request& request) override {
    ++calls;
    if (request.path == "/health") co_return http::json_response(200, "{}");
    if (request.path == "/users/missing") {
      co_return http::problem_response(not_found("user").error(), *request.fields.find("X-Request-Id"));
    }
    if (request.path == "/users/broken") co_return http::json_response(500, "{}");
    if (request.path == "/users/large") {
      co_return http::text_response(200, "text/plain", std::string(300'000, 'x'));
    }
    const Result<std::string> body = co_await http::read_all(*request.body, 1 << 20);
    if (!body) co_return http::problem_response(body.error(), "");
    std::string text(request.method_text);
    text.append(" ").append(request.target).append("\n");
    for (const http::Field& field : request.fields) {
      if (field.id == http::FieldId::host || field.id == http::FieldId::content_length) continue;
      text.append(field.name).append(": ").append(field.value).append("\n");
    }
    text.append("\n").append(*body);
    http::Response response = http::text_response(200, "text/plain", std::move(text));
    response.headers.add("X-Service", "echo");
    co_return response;
  }
  std::atomic<int> calls{0};
};

class PassAll final : public http::Middleware {};

enum class Way { kInProcess, kHttp };

class GatewayServiceTest : public ::testing::TestWithParam<Way> {
 protected:
  GatewayServiceTest() {
    options.resilience.breaker = {.volume_threshold = 4, .error_share = 0.5, .open_time = seconds(60)};
    options.resilience.retry.max_attempts = 1;
    options.health_check = {.interval = milliseconds(100), .timeout = milliseconds(100)};  // most start no checks
    options.cors_allowed_origins = {"https://app.example"};
  }
  void SetUp() override {
    loops.start();
    std::shared_ptr<http::Upstream> upstream;
    if (GetParam() == Way::kInProcess) {
      upstream = std::make_shared<http::InProcessUpstream>("messaging", service);
    } else {
      server.emplace(loops, service, http::ServerOptions{.role = "messaging"});
      ASSERT_TRUE(server->start());
      http::HttpUpstreamOptions to{.name = "messaging"};
      to.url = *http::parse_url("http://127.0.0.1:" + std::to_string(server->port()));
      upstream = std::make_shared<http::HttpUpstream>(loops, std::move(to));
    }
    gateway.emplace(options, GatewayDependencies{.upstreams = {{Role::kMessaging, upstream}},
                                                 .authentication = std::make_shared<PassAll>(),
                                                 .more_routes = {},
                                                 .metrics = metrics,
                                                 .clock = clock,
                                                 .random = random,
                                                 .timer = timer,
                                                 .loops = loops.size()});
  }
  void TearDown() override {
    stop_server();
    loops.stop();
    gateway.reset();
  }
  void stop_server() {
    if (server) server->stop(seconds(5));
    server.reset();
  }

  struct Answer {
    int status;
    http::HeaderText headers;
    std::string body;
    std::optional<std::uint64_t> head_length;
  };
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  Answer ask(std::string_view method, std::string target, Pairs fields = {}, std::string body = {},
             std::string peer = "10.0.0.1") {
    return asio::co_spawn(
               loops.at(0).io(),
               serve(std::string(method), std::move(target), std::move(fields), std::move(body), std::move(peer)),
               asio::use_future)
        .get();
  }
  Task<Answer> serve(std::string method, std::string target, Pairs fields, std::string body, std::string peer) {
    http::TextBody text(body);
    http::Request request;
    request.method = http::parse_method(method);
    request.method_text = method;
    request.set_target(target);
    request.fields.add("Host", "chat.example");
    for (const auto& [name, value] : fields) request.fields.add(name, value);
    request.body = &text;
    request.peer = peer;
    http::Response response = co_await gateway->service().serve(request);
    Answer answer{response.status, response.headers, std::move(response.body), response.head_length};
    if (response.stream) answer.body = *co_await http::read_all(*response.stream, 10'000'000);
    co_return answer;
  }

  EchoService service;
  EventLoops loops{1};
  SystemClock clock;
  SecureRandom random;
  LoopTimer timer;
  Metrics metrics;
  GatewayOptions options;
  std::optional<http::Server> server;
  std::optional<Gateway> gateway;
};

TEST_P(GatewayServiceTest, AsksTheServiceTheSameEitherWay) {
  const Answer answer = ask("POST", "/v1/messages/a%2Fb/reactions?x=%20",
                            {{"Authorization", "Bearer t"},
                             {"Connection", "x-gone"},
                             {"X-Gone", "1"},
                             {"TE", "trailers"},
                             {"X-Request-Id", "rid-1"},
                             {"X-Forwarded-For", "6.6.6.6"}},
                            "the body");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "POST /messages/a%2Fb/reactions?x=%20\n"
            "Authorization: Bearer t\nX-Forwarded-For: 10.0.0.1\nX-Forwarded-Proto: http\n"
            "X-Forwarded-Host: chat.example\nVia: 1.1 parley\nX-Request-Id: rid-1\n\nthe body");
  EXPECT_EQ(answer.headers.find("X-Service"), "echo");
  EXPECT_EQ(answer.headers.find("X-Request-Id"), "rid-1");
  for (const char* name : {"Connection", "Transfer-Encoding", "Content-Length", "Date", "Keep-Alive"}) {
    EXPECT_FALSE(answer.headers.find(name)) << name;
  }
}

TEST_P(GatewayServiceTest, MapsTheMessagesOfAConversation) {
  EXPECT_TRUE(ask("GET", "/v1/messages/conversations/%E4%BC%9A?limit=2")
                  .body.starts_with("GET /conversations/%E4%BC%9A/messages?limit=2\n"));
}

TEST_P(GatewayServiceTest, AddsAKeyToAMessageThatHasNone) {
  EXPECT_NE(ask("POST", "/v1/messages", {}, "{}").body.find("\nIdempotency-Key: "), std::string::npos);
  EXPECT_EQ(ask("PUT", "/v1/messages/1", {}, "{}").body.find("Idempotency-Key"), std::string::npos);
}

TEST_P(GatewayServiceTest, AProblemComesThroughUnchanged) {
  const Answer answer = ask("GET", "/v1/users/missing", {{"X-Request-Id", "rid-2"}});
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.headers.find("Content-Type"), "application/problem+json");
  EXPECT_EQ(answer.body, http::problem_response(not_found("user").error(), "rid-2").body);
}

TEST_P(GatewayServiceTest, StreamsAnAnswerLargerThanAnyBuffer) {
  EXPECT_EQ(ask("GET", "/v1/users/large").body, std::string(300'000, 'x'));
}

TEST_P(GatewayServiceTest, AnswersHeadWhereverGetWould) {
  const Answer answer = ask("HEAD", "/v1/users/large");
  EXPECT_EQ(answer.status, 200);
  if (GetParam() == Way::kHttp) EXPECT_EQ(answer.head_length, 300'000u);
}

TEST_P(GatewayServiceTest, NeverReachesWhatIsInternalOrUnknown) {
  for (const char* path : {"/internal/x", "/v1/internal/x", "/messages", "/v1", "/v1/", "/v1/health",
                           "/v1/conversations/../x", "/v1/users/%2e%2e", "/v1/users/a/b"}) {
    const int status = ask("GET", path).status;
    EXPECT_TRUE(status == 404 || status == 400) << path << " " << status;
  }
  EXPECT_EQ(ask("PATCH", "/v1/messages/1").status, 405);
  EXPECT_EQ(service.calls.load(), 0);
}

TEST_P(GatewayServiceTest, OpensTheCircuitAndSaysSoInHealthAndMetrics) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(ask("GET", "/v1/users/broken").status, 500);
  const Answer answer = ask("GET", "/v1/users/me");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.find("Retry-After"), "60");
  EXPECT_NE(answer.body.find("\"circuit_open\""), std::string::npos);
  EXPECT_EQ(service.calls.load(), 4);
  const std::string health = ask("GET", "/health", {}, {}, "127.0.0.1").body;
  EXPECT_NE(health.find("\"status\":\"degraded\""), std::string::npos) << health;
  EXPECT_NE(health.find("\"breaker\":\"open\""), std::string::npos) << health;
  const std::string shown = ask("GET", "/metrics", {}, {}, "127.0.0.1").body;
  EXPECT_NE(shown.find("parley_upstream_circuit_state{upstream=\"messaging\"} 1"), std::string::npos);
  EXPECT_NE(shown.find("parley_upstream_failures_total{reason=\"status\",upstream=\"messaging\"} 4"),
            std::string::npos);
}

TEST_P(GatewayServiceTest, ShowsItsDependenciesToThisHostOnly) {
  EXPECT_EQ(ask("GET", "/health", {}, {}, "10.0.0.1").body, R"({"status":"degraded"})");  // no check has begun
  EXPECT_EQ(ask("GET", "/health", {{"X-Forwarded-For", "10.0.0.1"}}, {}, "127.0.0.1").body, R"({"status":"degraded"})");
  EXPECT_NE(ask("GET", "/health", {}, {}, "127.0.0.1").body.find("\"messaging\""), std::string::npos);
}

TEST_P(GatewayServiceTest, ChecksItsUpstreamsAndStopsInTime) {
  std::promise<void> stopped;
  loops.at(0).post([this] { gateway->start_checks(loops.at(0)); });
  while (gateway->health().at(0).status != "ok") std::this_thread::yield();
  loops.at(0).post([this, &stopped] { gateway->stop_checks([&stopped] { stopped.set_value(); }); });
  stopped.get_future().get();
  EXPECT_EQ(ask("GET", "/health", {}, {}, "10.0.0.1").body, R"({"status":"ok"})");
}

Task<Result<>> answer_of_engine(bool is_up) {
  if (is_up) co_return Result<>();
  co_return unavailable("unavailable", "no");
}

TEST(GatewayHealth, AnEngineThatItCanDoWithoutDegradesItAndNothingElse) {
  EventLoops loops(1);
  SystemClock clock;
  SecureRandom random;
  LoopTimer timer;
  Metrics metrics;
  std::atomic<bool> is_up{true};
  Gateway gateway({}, {.upstreams = {},
                       .authentication = std::make_shared<PassAll>(),
                       .more_routes = {},
                       .engines = {{"redis", [&is_up](SteadyTime) { return answer_of_engine(is_up); }}},
                       .metrics = metrics,
                       .clock = clock,
                       .random = random,
                       .timer = timer,
                       .loops = 1});
  loops.start();
  const auto health = [&] {
    http::TextBody nothing("");
    http::Request request;
    request.method = http::Method::kGet;
    request.method_text = "GET";
    request.set_target("/health");
    request.peer = "127.0.0.1";
    request.body = &nothing;
    return asio::co_spawn(loops.at(0).io(), gateway.service().serve(request), asio::use_future).get();
  };
  EXPECT_TRUE(health().body.starts_with(R"({"status":"ok","dependencies":{"redis":{"status":"ok",)")) << health().body;
  is_up = false;
  const http::Response response = health();
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(response.body.starts_with(R"({"status":"degraded","dependencies":{"redis":{"status":"down",)"))
      << response.body;
  loops.stop();
}

// Failed at first as "degraded": the start is not over before its first checks are, and who waits for a healthy server
// asks at once.
TEST(GatewayHealth, AskedBeforeTheFirstChecksAreAnsweredItWaitsForThem) {
  EventLoops loops(1);
  SystemClock clock;
  SecureRandom random;
  LoopTimer timer;
  Metrics metrics;
  auto late = std::make_shared<testing::HeldUpstream>();
  Gateway gateway({}, {.upstreams = {{Role::kMessaging, late}, {Role::kMedia, late}},
                       .authentication = std::make_shared<PassAll>(),
                       .more_routes = {},
                       .metrics = metrics,
                       .clock = clock,
                       .random = random,
                       .timer = timer,
                       .loops = 1});
  loops.start();
  http::TextBody nothing("");
  http::Request request;
  request.method = http::Method::kGet;
  request.method_text = "GET";
  request.set_target("/health");
  request.body = &nothing;
  auto health = asio::co_spawn(loops.at(0).io(), gateway.service().serve(request), asio::use_future);
  loops.at(0).post([&] { gateway.start_checks(loops.at(0)); });
  late->wait_for_calls(2);
  late->answer(1, testing::HeldUpstream::text("{}"));
  EXPECT_EQ(health.wait_for(milliseconds(20)), std::future_status::timeout);
  late->answer(0, testing::HeldUpstream::text("{}"));
  EXPECT_EQ(health.get().body, R"({"status":"ok"})");
  std::promise<void> stopped;
  loops.at(0).post([&] { gateway.stop_checks([&stopped] { stopped.set_value(); }); });
  stopped.get_future().get();
  loops.stop();
}

TEST_P(GatewayServiceTest, SaysThatItLivesWhateverItsUpstreamsDo) {
  for (int i = 0; i < 4; ++i) ask("GET", "/v1/users/broken");
  const Answer answer = ask("GET", "/health/live");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"status":"ok"})");
}

TEST_P(GatewayServiceTest, ShowsMetricsToThisHostOnly) {
  EXPECT_EQ(ask("GET", "/metrics", {}, {}, "::1").status, 200);
  EXPECT_EQ(ask("GET", "/metrics", {}, {}, "10.0.0.1").status, 401);
  EXPECT_EQ(ask("GET", "/metrics", {{"Authorization", "Bearer "}}, {}, "10.0.0.1").status, 401);
  EXPECT_EQ(ask("GET", "/metrics", {{"X-Forwarded-For", "1.1.1.1"}}, {}, "127.0.0.1").status, 401);
}

TEST_P(GatewayServiceTest, AnswersAPreflightFromAnAllowedOriginOnly) {
  const Answer yes =
      ask("OPTIONS", "/v1/messages", {{"Origin", "https://app.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(yes.status, 204);
  EXPECT_EQ(yes.headers.find("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_FALSE(yes.headers.find("Access-Control-Allow-Credentials"));
  const Answer no =
      ask("OPTIONS", "/v1/messages", {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_FALSE(no.headers.find("Access-Control-Allow-Origin"));
  EXPECT_FALSE(no.headers.find("Access-Control-Allow-Methods"));
  const Answer plain = ask("GET", "/v1/users/me", {{"Origin", "https://app.example"}});
  EXPECT_EQ(plain.headers.find("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(plain.headers.find("Vary"), "Origin");
}

TEST_P(GatewayServiceTest, AnUpstreamThatIsGoneIs503AndThenTheCircuitOpens) {
  if (GetParam() == Way::kInProcess) GTEST_SKIP() << "a role of this process does not go away";
  stop_server();
  for (int i = 0; i < 4; ++i) {
    const Answer answer = ask("GET", "/v1/users/me");
    EXPECT_EQ(answer.status, 503);
    EXPECT_NE(answer.body.find("\"upstream_unavailable\""), std::string::npos) << answer.body;
    EXPECT_TRUE(answer.headers.find("Retry-After"));
  }
  EXPECT_NE(ask("GET", "/v1/users/me").body.find("\"circuit_open\""), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(BothWays, GatewayServiceTest, ::testing::Values(Way::kInProcess, Way::kHttp),
                         [](const auto& info) { return info.param == Way::kHttp ? "OverHttp" : "InProcess"; });

TEST(GatewayOptions, TakesTheOperatorsSettingsUpToTheirBounds) {
  const std::vector<std::string> none;
  const auto defaults = load_settings({}, none);
  ASSERT_TRUE(defaults.has_value());
  const Settings& settings = defaults->settings;
  const GatewayOptions options = gateway_options(settings);
  EXPECT_EQ(options.resilience.retry.max_attempts, settings.upstream.retries + 1);
  EXPECT_EQ(options.resilience.call_timeout, settings.upstream.deadline);
  EXPECT_EQ(options.resilience.breaker.open_time, settings.breaker.open_time);
  EXPECT_EQ(options.forwarding.scheme, "http");
  EXPECT_TRUE(options.cors_allowed_origins.empty());

  // Breaker and budget check their settings: what an operator may set must not end the process.
  const ManualClock clock;
  for (const Environment& edge : {Environment{{"BREAKER_WINDOW_MS", "1000"},
                                              {"BREAKER_MIN_REQUESTS", "1"},
                                              {"BREAKER_ERROR_PERCENT", "1"},
                                              {"BREAKER_OPEN_MS", "100"},
                                              {"BREAKER_HALF_OPEN_PROBES", "1"},
                                              {"UPSTREAM_RETRIES", "0"},
                                              {"UPSTREAM_RETRY_BUDGET_PERCENT", "0"}},
                                  Environment{{"BREAKER_WINDOW_MS", "600000"},
                                              {"BREAKER_MIN_REQUESTS", "100000"},
                                              {"BREAKER_ERROR_PERCENT", "100"},
                                              {"BREAKER_OPEN_MS", "600000"},
                                              {"BREAKER_HALF_OPEN_PROBES", "100"},
                                              {"UPSTREAM_RETRIES", "5"},
                                              {"UPSTREAM_RETRY_BUDGET_PERCENT", "100"}}}) {
    const auto loaded = load_settings(edge, none);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().front();
    const GatewayOptions at_edge = gateway_options(loaded->settings);
    CircuitBreaker breaker(at_edge.resilience.breaker, clock);
    RetryBudget budget(at_edge.resilience.budget, clock);
    EXPECT_GE(at_edge.resilience.retry.max_attempts, 1u);
  }

  const auto no_budget = load_settings({{"UPSTREAM_RETRY_BUDGET_PERCENT", "0"}, {"UPSTREAM_RETRIES", "5"}}, none);
  EXPECT_EQ(gateway_options(no_budget->settings).resilience.retry.max_attempts, 1u);
}

// The table and api/gateway.yaml say the same: routes, operations, which of them honour a key, who may call.
TEST(ProxiedRoutes, AreThoseOfTheContract) {
  std::map<std::string, std::string> contract, table;
  for (const auto& path : YAML::LoadFile(PARLEY_SOURCE_DIR "/api/gateway.yaml")["paths"]) {
    const auto pattern = path.first.as<std::string>();
    if (!pattern.starts_with("/v1/")) continue;
    for (const auto& operation : path.second) {
      std::string method = operation.first.as<std::string>();
      if (method == "parameters") continue;
      std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::toupper(c); });
      contract[method + " " + pattern] = operation.second["operationId"].as<std::string>() +
                                         (operation.second["x-idempotency"].as<std::string>("") == "key" ? " key" : "");
      const YAML::Node security = operation.second["security"];
      if (security) contract[method + " " + pattern] += security.size() == 0 ? " open" : " signed";
    }
  }
  for (const ProxiedRoute& route : proxied_routes()) {
    table[std::string(to_string(route.method)) + " " + std::string(route.pattern)] =
        std::string(route.operation_id) + (route.honours_idempotency_key ? " key" : "") +
        (route.access == http::Access::kOpen            ? " open"
         : route.access == http::Access::kTokenOrSigned ? " signed"
                                                        : "");
  }
  EXPECT_EQ(table, contract);
}

}  // namespace
}  // namespace parley::gateway
