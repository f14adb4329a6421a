// What a request pays for its token: remembered by its loop, or verified.
#include <benchmark/benchmark.h>

#include <future>

#include "auth/authenticator.h"
#include "auth/testing/tokens.h"

namespace parley::auth {
namespace {

void on_loop(benchmark::State& state, std::size_t tokens,
             void (*body)(benchmark::State&, Authenticator&, const std::vector<std::string>&)) {
  const SigningKey& key = testing::key_for(static_cast<Algorithm>(state.range(0)));
  const SystemClock clock;
  const KeyRing ring(key.public_keys().value());
  Authenticator authenticator({}, ring, nullptr, clock, 1);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < tokens; ++i) {
    auto claims = testing::claims_at(clock.wall_now());
    claims["sub"] = "user-" + std::to_string(i);
    all.push_back(testing::sign(key, claims));
  }
  EventLoops loops(1);
  loops.start();
  std::promise<void> done;
  loops.at(0).post([&] {
    for (const auto& token : all) authenticator.try_authenticate(token, {});
    body(state, authenticator, all);
    done.set_value();
  });
  done.get_future().get();
  state.SetLabel(std::string(to_string(key.algorithm())));
}

void cached(benchmark::State& state, Authenticator& authenticator, const std::vector<std::string>& tokens) {
  std::size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(authenticator.try_authenticate(tokens[i], {}));
    if (++i == tokens.size()) i = 0;
  }
}
void BM_CachedOneToken(benchmark::State& state) {
  on_loop(state, 1, cached);
}
void BM_Cached2000Tokens(benchmark::State& state) {
  on_loop(state, 2000, cached);
}

void BM_Verified(benchmark::State& state) {
  const SigningKey& key = testing::key_for(static_cast<Algorithm>(state.range(0)));
  const SystemClock clock;
  const KeySet keys = key.public_keys().value();
  const std::string token = testing::sign(key, testing::claims_at(clock.wall_now()));
  for (auto _ : state) benchmark::DoNotOptimize(verify_jwt(token, keys, {}, clock.wall_now()));
  state.SetLabel(std::string(to_string(key.algorithm())));
}

constexpr auto kRs256 = static_cast<long>(Algorithm::kRs256), kEs256 = static_cast<long>(Algorithm::kEs256),
               kEs512 = static_cast<long>(Algorithm::kEs512), kEdDsa = static_cast<long>(Algorithm::kEdDsa);
BENCHMARK(BM_CachedOneToken)->Arg(kEs256)->Arg(kRs256);
BENCHMARK(BM_Cached2000Tokens)->Arg(kEs256)->Arg(kRs256);
BENCHMARK(BM_Verified)->Arg(kRs256)->Arg(kEs256)->Arg(kEs512)->Arg(kEdDsa);

}  // namespace
}  // namespace parley::auth
