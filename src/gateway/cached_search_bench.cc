// A search answered by the gateway's cache, beside one of the same length that is passed on to a search of this process
// which answers at once: the least that passing on can cost. Both with routing and middleware, without sockets.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <future>

#include "gateway/gateway.h"
#include "tenancy/caller.h"

namespace parley::gateway {
namespace {

// Search, and its feed of changes, of which there are none.
class InstantSearch final : public http::Upstream {
 public:
  std::string_view name() const override { return "search"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override {
    if (request.path != "/internal/changes") co_return http::json_response(200, page_);
    co_return http::json_response(200, R"({"instance":"i","through":0,"tenants":[]})");
  }

 private:
  const std::string page_ = std::string(8 * 1024, 'x');
};

class IsAda final : public http::Middleware {
 public:
  Verdict before(http::Exchange& exchange) override {
    exchange.caller = ada_;
    return {};
  }

 private:
  const std::shared_ptr<const Caller> ada_ =
      std::make_shared<const Caller>(Caller{.tenant = TenantId("acme"), .user = UserId("ada")});
};

struct Fixture {
  Fixture() {
    loops.start();
    on_loop([this](auto done) {
      gateway.start_checks(loops.at(0));
      done();
    });
  }
  ~Fixture() {
    on_loop([this](auto done) { gateway.stop_checks(std::move(done)); });
    loops.stop();
  }
  void on_loop(std::move_only_function<void(std::move_only_function<void()>)> work) {
    auto done = std::make_shared<std::promise<void>>();
    loops.at(0).post([&work, done] { work([done] { done->set_value(); }); });
    done->get_future().get();
  }

  SystemClock clock;
  SecureRandom random;
  LoopTimer timer;
  Metrics metrics;
  EventLoops loops{1};
  std::shared_ptr<InstantSearch> search = std::make_shared<InstantSearch>();
  Gateway gateway{{},
                  {.upstreams = {{Role::kSearch, search}},
                   .authentication = std::make_shared<IsAda>(),
                   .more_routes = {},
                   .search_changes = search,
                   .search_token = [] { return std::string("token"); },
                   .metrics = metrics,
                   .clock = clock,
                   .random = random,
                   .timer = timer,
                   .loops = 1}};
};

// A yield now and then, so that the follower has its turn.
Task<> serve_all(benchmark::State& state, http::Service& service, std::string_view target, LoopTimer& timer) {
  http::TextBody empty("");
  http::Request request;
  request.method = http::Method::kGet;
  request.method_text = "GET";
  request.set_target(target);
  request.peer = "127.0.0.1";
  request.body = &empty;
  request.fields.add("Host", "chat.example.org");
  request.fields.add("Accept", "application/json");
  request.fields.add("Accept-Encoding", "gzip, deflate, br");
  request.fields.add("Authorization", "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl");
  request.fields.add("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
  std::size_t hits = 0, count = 0;
  for (auto _ : state) {
    if (++count % 1'000 == 0) {
      state.PauseTiming();
      co_await timer.wait_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
      state.ResumeTiming();
    }
    const http::Response response = co_await service.serve(request);
    hits += response.headers.find("X-Cache") == "hit";
  }
  state.counters["hits"] = static_cast<double>(hits) / static_cast<double>(std::max<std::size_t>(count, 1));
}

void measure(benchmark::State& state, std::string_view target) {
  Fixture fixture;
  std::promise<void> done;
  asio::co_spawn(fixture.loops.at(0).io(), serve_all(state, fixture.gateway.service(), target, fixture.timer),
                 [&done](std::exception_ptr) { done.set_value(); });
  done.get_future().get();
}

void search_passed_on(benchmark::State& state) {
  measure(state, "/v1/search/suggestions?q=release%20notes&limit=20");
}
BENCHMARK(search_passed_on)->MeasureProcessCPUTime();

void search_from_the_cache(benchmark::State& state) {
  measure(state, "/v1/search/messages?q=release%20notes&limit=20");
}
BENCHMARK(search_from_the_cache)->MeasureProcessCPUTime();

}  // namespace
}  // namespace parley::gateway
