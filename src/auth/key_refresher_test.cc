#include "auth/key_refresher.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <cstdlib>
#include <fstream>
#include <future>

#include "auth/authenticator.h"
#include "auth/testing/tokens.h"

namespace parley::auth {
namespace {

using std::chrono::seconds;
using testing::claims_at;
using testing::key_for;
using testing::sign;

// A source whose answer the test sets, and which it may hold back.
class FakeSource final : public JwksSource {
 public:
  struct State {
    std::mutex mutex;
    Result<std::string> answer = fail(ErrorKind::kUnavailable, "unavailable", "no route to host");
    int fetches = 0;
    bool hold = false;
    std::optional<OneShotPromise<std::string>> held;
  };
  explicit FakeSource(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Task<Result<std::string>> fetch(SteadyTime) override {
    std::optional<OneShotFuture<std::string>> later;
    Result<std::string> answer;
    {
      const std::lock_guard lock(state_->mutex);
      ++state_->fetches;
      answer = state_->answer;
      if (state_->hold) {
        auto pair = make_one_shot<std::string>(EventLoop::current());
        state_->held.emplace(std::move(pair.first));
        later.emplace(std::move(pair.second));
      }
    }
    if (later) answer = co_await later->wait(SteadyTime::max());
    co_return answer;
  }

 private:
  std::shared_ptr<State> state_;
};

void stop(EventLoops& loops, KeyRefresher& refresher) {
  std::promise<void> closed;
  loops.at(0).post([&] { refresher.close([&] { closed.set_value(); }); });
  closed.get_future().get();
  loops.stop();
}

class KeyRotation : public ::testing::Test {
 protected:
  void SetUp() override { loops.start(); }
  void TearDown() override { stop(loops, refresher); }

  void on_home(std::move_only_function<void()> fn) {
    std::promise<void> done;
    loops.at(0).post([&] {
      fn();
      done.set_value();
    });
    done.get_future().get();
  }
  void serve(const SigningKey& key) {
    const std::lock_guard lock(source->mutex);
    source->answer = key.public_pem();
  }
  void break_source() {
    const std::lock_guard lock(source->mutex);
    source->answer = fail(ErrorKind::kUnavailable, "unavailable", "no route to host");
  }
  int fetches() {
    const std::lock_guard lock(source->mutex);
    return source->fetches;
  }
  std::string token_of(const SigningKey& key) { return sign(key, claims_at(clock.wall_now())); }
  std::future<Authenticator::Answer> begin_on(std::size_t loop, const std::string& token) {
    return asio::co_spawn(loops.at(loop).io(), authenticator.authenticate(token, {}, SteadyTime::max()),
                          asio::use_future);
  }
  // "ok" or the code of the error.
  std::string verdict(const SigningKey& key, std::size_t loop = 1) {
    const auto answer = begin_on(loop, token_of(key)).get();
    return answer ? "ok" : answer.error().code;
  }

  const SigningKey first = SigningKey::generate(Algorithm::kEdDsa).value();
  const SigningKey second = SigningKey::generate(Algorithm::kEdDsa).value();
  ManualClock clock;
  std::shared_ptr<FakeSource::State> source = std::make_shared<FakeSource::State>();
  EventLoops loops{2};
  KeyRing ring;
  std::vector<KeyRefresher::Report> reports;  // on the home loop only
  KeyRefresher refresher{loops.at(0),
                         ring,
                         std::make_unique<FakeSource>(source),
                         {},
                         {.interval = seconds(300), .min_gap = seconds(10), .fetch_timeout = seconds(5)},
                         clock,
                         [this](const KeyRefresher::Report& report) { reports.push_back(report); }};
  Authenticator authenticator{{}, ring, &refresher, clock, 2};
};

TEST_F(KeyRotation, ATokenOfAnUnknownKeyFetchesKeysAtOnce) {
  serve(first);
  EXPECT_EQ(verdict(first), "ok");
  EXPECT_EQ(fetches(), 1);
  clock.advance(seconds(10));
  serve(second);
  EXPECT_EQ(verdict(second), "ok");
  EXPECT_EQ(fetches(), 2);
  EXPECT_EQ(verdict(first), "unauthorized");
}

TEST_F(KeyRotation, UnknownKeysFetchAtMostOncePerTenSeconds) {
  serve(first);
  EXPECT_EQ(verdict(first), "ok");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(verdict(second), "unauthorized");
  EXPECT_EQ(fetches(), 1);
  clock.advance(seconds(9));
  EXPECT_EQ(verdict(second), "unauthorized");
  EXPECT_EQ(fetches(), 1);
  clock.advance(seconds(1));
  EXPECT_EQ(verdict(second), "unauthorized");
  EXPECT_EQ(fetches(), 2);
}

TEST_F(KeyRotation, WaitersOnAllLoopsShareOneFetch) {
  {
    const std::lock_guard lock(source->mutex);
    source->hold = true;
  }
  std::vector<std::future<Authenticator::Answer>> answers;
  for (std::size_t i = 0; i < 8; ++i) answers.push_back(begin_on(i % 2, token_of(first)));
  for (std::size_t loop : {1, 0}) {  // each has let all its requests join
    std::promise<void> passed;
    loops.at(loop).post([&] { passed.set_value(); });
    passed.get_future().get();
  }
  on_home([&] {
    const std::lock_guard lock(source->mutex);
    source->hold = false;
    source->held->deliver(first.public_pem());
  });
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_EQ(fetches(), 1);
}

TEST_F(KeyRotation, OldKeysStayWhileFetchesFail) {
  serve(first);
  EXPECT_EQ(verdict(first), "ok");
  break_source();
  clock.advance(seconds(301));
  on_home([&] { refresher.refresh_if_due(); });
  on_home([] {});
  EXPECT_EQ(fetches(), 2);
  EXPECT_EQ(verdict(first), "ok");
  on_home([&] { EXPECT_EQ(reports.back().problem, "no route to host"); });
}

TEST_F(KeyRotation, WhileNoKeysCanBeHadTheAnswerIs503) {
  const auto answer = begin_on(1, token_of(first)).get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(answer.error().retry_after, seconds(10));
  EXPECT_EQ(verdict(first), "unavailable");
  EXPECT_EQ(fetches(), 1);
  serve(first);
  clock.advance(seconds(10));
  EXPECT_EQ(verdict(first), "ok");
}

TEST_F(KeyRotation, ASourceThatServesNonsenseCountsAsFailed) {
  serve(first);
  EXPECT_EQ(verdict(first), "ok");
  {
    const std::lock_guard lock(source->mutex);
    source->answer = "<html>Welcome</html>";
  }
  clock.advance(seconds(301));
  on_home([&] { refresher.refresh_if_due(); });
  on_home([] {});
  EXPECT_EQ(verdict(first), "ok");
}

TEST_F(KeyRotation, FetchesAtItsIntervalAndSoonerAfterAFailure) {
  serve(first);
  on_home([&] { refresher.start(); });
  on_home([] {});
  const auto fetches_after = [&](seconds wait) {
    clock.advance(wait);
    on_home([&] { refresher.refresh_if_due(); });
    on_home([] {});
    return fetches();
  };
  EXPECT_EQ(fetches(), 1);
  EXPECT_EQ(fetches_after(seconds(299)), 1);
  break_source();
  EXPECT_EQ(fetches_after(seconds(1)), 2);
  EXPECT_EQ(fetches_after(seconds(9)), 2);
  EXPECT_EQ(fetches_after(seconds(1)), 3);
}

TEST_F(KeyRotation, UnchangedKeysKeepWhatWasVerified) {
  serve(first);
  EXPECT_EQ(verdict(first), "ok");
  const auto generation = ring.generation();
  clock.advance(seconds(301));
  on_home([&] { refresher.refresh_if_due(); });
  on_home([] {});
  EXPECT_EQ(fetches(), 2);
  EXPECT_EQ(ring.generation(), generation);
  serve(second);
  clock.advance(seconds(301));
  on_home([&] { refresher.refresh_if_due(); });
  on_home([] {});
  EXPECT_NE(ring.generation(), generation);
  EXPECT_EQ(verdict(first), "unauthorized");
}

TEST_F(KeyRotation, AfterCloseNobodyWaitsAndNothingIsFetched) {
  on_home([&] { refresher.close([] {}); });
  EXPECT_EQ(verdict(first), "unavailable");
  EXPECT_EQ(fetches(), 0);
}

TEST(FixedKeys, StayInForceBesideThoseFetched) {
  const SigningKey fixed = SigningKey::generate(Algorithm::kEdDsa).value();
  const SigningKey fetched = SigningKey::generate(Algorithm::kEdDsa).value();
  auto state = std::make_shared<FakeSource::State>();
  state->answer = fetched.public_pem();
  ManualClock clock;
  EventLoops loops(1);
  KeyRing ring(fixed.public_keys().value());
  KeyRefresher refresher(loops.at(0), ring, std::make_unique<FakeSource>(state), fixed.public_keys().value(), {},
                         clock);
  loops.start();
  EXPECT_TRUE(asio::co_spawn(loops.at(0).io(), refresher.refresh(SteadyTime::max()), asio::use_future).get());
  EXPECT_EQ(ring.snapshot().keys->keys().size(), 2u);
  stop(loops, refresher);
}

class KeyFile : public ::testing::Test {
 protected:
  KeyFile() {
    std::string name = (std::filesystem::temp_directory_path() / "parley-keys-XXXXXX").string();
    folder = ::mkdtemp(name.data());
  }
  ~KeyFile() override { std::filesystem::remove_all(folder); }
  void write(std::string_view text) { std::ofstream(folder / "keys", std::ios::binary) << text; }
  std::filesystem::path folder;
};

TEST_F(KeyFile, IsReadAnewAtEachFetch) {
  EventLoops loops(1);
  loops.start();
  BlockingPool pool("keys", 1, 4);
  FileJwksSource source((folder / "keys").string(), pool);
  const auto fetch = [&] {
    const SteadyTime deadline = std::chrono::steady_clock::now() + seconds(60);
    return asio::co_spawn(loops.at(0).io(), source.fetch(deadline), asio::use_future).get();
  };
  EXPECT_FALSE(fetch());
  write("one");
  EXPECT_EQ(fetch().value(), "one");
  write("two");
  EXPECT_EQ(fetch().value(), "two");
}

TEST_F(KeyFile, IsRefusedWhenItIsTooLargeOrAFolder) {
  write(std::string(KeySet::kMaxTextBytes, 'x'));
  EXPECT_EQ(read_key_file((folder / "keys").string()).value().size(), KeySet::kMaxTextBytes);
  write(std::string(KeySet::kMaxTextBytes + 1, 'x'));
  EXPECT_FALSE(read_key_file((folder / "keys").string()));
  EXPECT_FALSE(read_key_file(folder.string()));
}

}  // namespace
}  // namespace parley::auth
