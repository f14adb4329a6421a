// What the gateway itself costs a request: proxy, resilience and fields over an upstream that answers at once; then the
// same with routing and middleware. `allocations` are those of the whole call, the fake's answer included.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <future>
#include <new>

#include "gateway/gateway.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* const memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace parley::gateway {
namespace {

class InstantUpstream final : public http::Upstream {
 public:
  explicit InstantUpstream(int status = 200) : status_(status) {}
  std::string_view name() const override { return "instant"; }
  Task<Result<http::Response>> call(http::Request&, SteadyTime) override {
    co_return http::text_response(status_, "text/plain", {});
  }

 private:
  const int status_;
};

class PassAll final : public http::Middleware {};

// A GET as a browser sends it.
void fill(http::Request& request, http::Body& body) {
  request.method = http::Method::kGet;
  request.method_text = "GET";
  request.set_target("/v1/messages/0190f0a4-1b2c-7d3e-8f40-123456789abc");
  request.peer = "127.0.0.1";
  request.body = &body;
  for (const auto& [name, value] : std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {"Host", "chat.example.org"},
           {"Connection", "keep-alive"},
           {"Accept", "application/json"},
           {"Accept-Encoding", "gzip, deflate, br"},
           {"Accept-Language", "en-GB,en;q=0.9"},
           {"Authorization", "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"},
           {"Cache-Control", "no-cache"},
           {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}}) {
    request.fields.add(name, value);
  }
}

struct Fixture {
  SystemClock clock;
  SecureRandom random;
  LoopTimer timer;
  Metrics metrics;
  EventLoops loops{1};
  std::shared_ptr<http::Upstream> upstream = std::make_shared<InstantUpstream>();

  // Runs `one` for each iteration within one coroutine, on the loop's own thread.
  template <class One>
  void measure(benchmark::State& state, One one) {
    loops.start();
    std::promise<void> done;
    asio::co_spawn(loops.at(0).io(), loop(state, std::move(one)), [&done](std::exception_ptr) { done.set_value(); });
    done.get_future().get();
    loops.stop();
  }
  template <class One>
  static Task<> loop(benchmark::State& state, One one) {
    allocations = 0;
    for (auto _ : state) co_await one();
    state.counters["allocations"] =
        benchmark::Counter(static_cast<double>(allocations), benchmark::Counter::kAvgIterations);
  }
};

Task<> forward_once(Proxy& proxy, http::Request& request) {
  http::Exchange exchange(request);
  exchange.request_id = "abcdefghijklmno";
  exchange.deadline = SteadyTime::max();
  benchmark::DoNotOptimize(co_await proxy.forward(exchange, PathMapping::kStripVersion, false));
}

void upstream_alone(benchmark::State& state) {
  Fixture fixture;
  http::TextBody empty("");
  http::Request request;
  fill(request, empty);
  fixture.measure(state,
                  [&]() -> Task<Result<http::Response>> { return fixture.upstream->call(request, SteadyTime::max()); });
}
BENCHMARK(upstream_alone)->MeasureProcessCPUTime();

void proxied(benchmark::State& state) {
  Fixture fixture;
  ResilientUpstream resilient(fixture.upstream, {}, fixture.clock, fixture.random, fixture.timer,
                              std::make_shared<UpstreamObserver>());
  Proxy proxy(resilient, {}, fixture.clock, fixture.random);
  http::TextBody empty("");
  http::Request request;
  fill(request, empty);
  fixture.measure(state, [&] { return forward_once(proxy, request); });
}
BENCHMARK(proxied)->MeasureProcessCPUTime();

Task<> serve_once(http::Service& service, http::Request& request) {
  benchmark::DoNotOptimize(co_await service.serve(request));
}

void routed_and_proxied(benchmark::State& state) {
  Fixture fixture;
  Gateway gateway({}, {.upstreams = {{Role::kMessaging, fixture.upstream}},
                       .authentication = std::make_shared<PassAll>(),
                       .more_routes = {},
                       .metrics = fixture.metrics,
                       .clock = fixture.clock,
                       .random = fixture.random,
                       .timer = fixture.timer,
                       .loops = 1});
  http::TextBody empty("");
  http::Request request;
  fill(request, empty);
  fixture.measure(state, [&] { return serve_once(gateway.service(), request); });
}
BENCHMARK(routed_and_proxied)->MeasureProcessCPUTime();

// The whole answer of an open circuit.
void turned_away(benchmark::State& state) {
  Fixture fixture;
  ResilienceSettings settings;
  settings.breaker.open_time = std::chrono::hours(1);
  ResilientUpstream resilient(std::make_shared<InstantUpstream>(500), settings, fixture.clock, fixture.random,
                              fixture.timer, std::make_shared<UpstreamObserver>());
  Proxy proxy(resilient, {}, fixture.clock, fixture.random);
  http::TextBody empty("");
  http::Request request;
  fill(request, empty);
  fixture.measure(state, [&] { return forward_once(proxy, request); });
}
BENCHMARK(turned_away)->MeasureProcessCPUTime();

}  // namespace
}  // namespace parley::gateway
