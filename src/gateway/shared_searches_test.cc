// What other gateways found, admitted by what this one knows; and a random history of two gateways against the truth.
#include "gateway/shared_searches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <random>

#include "base/random.h"
#include "gateway/testing/fakes.h"
#include "gateway/testing/memory_shared_answers.h"
#include "gateway/testing/shared_answers_contract.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::InstantTimer;
using testing::MemorySharedAnswers;

class InMemory final : public testing::SharedAnswersUnderTest {
 public:
  InMemory() : loops_(1) { loops_.start(); }
  ~InMemory() override { loops_.stop(); }
  SharedAnswers& one() override { return answers_; }
  SharedAnswers& other() override { return answers_; }
  EventLoop& loop() override { return loops_.at(0); }
  void wait_for_told() override {}

 private:
  ManualClock clock_;
  MemorySharedAnswers answers_{clock_};
  EventLoops loops_;
};
std::unique_ptr<testing::SharedAnswersUnderTest> make_memory_answers() {
  return std::make_unique<InMemory>();
}

// What one gateway process has.
struct OneGateway {
  OneGateway(SharedAnswers& answers, const Clock& clock, Timer& timer)
      : searches(answers, numbers, epochs, seconds(60), clock, timer, metrics) {}
  // As its follower does with an answer of search's feed.
  void hear(std::int64_t through, const std::vector<std::string>& tenants, SteadyTime now, bool all = false,
            const std::string& instance = "i") {
    numbers.hear(instance, through, all, tenants);
    if (all) epochs.all_changed();
    for (const std::string& tenant : tenants) epochs.changed(tenant);
    epochs.heard(now);
  }
  void settle(SteadyTime until) {
    numbers.settled(until);
    epochs.settled(until);
  }
  void write(SteadyTime now) {
    numbers.written("acme", now);
    epochs.written("acme", now);
  }
  Metrics metrics;
  TenantEpochs epochs{milliseconds(1'000)};
  ChangeNumbers numbers;
  SharedSearches searches;
};

class SharedSearchesTest : public ::testing::Test {
 protected:
  SharedSearchesTest() {
    one.hear(5, {}, clock.steady_now(), true);
    other.hear(5, {}, clock.steady_now(), true);
  }
  SharedSearches::Found find(OneGateway& by) {
    return std::move(*testing::run(loop, by.searches.find("acme", "key", SteadyTime::max())));
  }
  static std::optional<SharedSearches::Question> question(SharedSearches::Found found) {
    if (auto* const asked = std::get_if<SharedSearches::Question>(&found)) return std::move(*asked);
    return std::nullopt;
  }
  static std::string body_of(const SharedSearches::Found& found) {
    const auto* const kept = std::get_if<KeptAnswer>(&found);
    return kept == nullptr ? "(ask)" : (*kept)->body;
  }
  CachedAnswer answer(std::string body) const {
    return {.body = std::move(body),
            .content_type = "application/json",
            .cache_control = {},
            .epoch = 0,
            .asked_at = clock.steady_now()};
  }
  void leave(OneGateway& by, std::string body) { question(find(by)).value().publish(answer(std::move(body))); }

  EventLoop loop{0};
  ManualClock clock;
  InstantTimer timer{clock};
  MemorySharedAnswers answers{clock};
  OneGateway one{answers, clock, timer};
  OneGateway other{answers, clock, timer};
};

TEST_F(SharedSearchesTest, WhatOneGatewayFoundAnswersAnother) {
  leave(one, "found");
  clock.advance(milliseconds(300));
  const auto found = find(other);
  ASSERT_EQ(body_of(found), "found");
  const KeptAnswer kept = std::get<KeptAnswer>(found);
  EXPECT_EQ(kept->asked_at, clock.steady_now() - milliseconds(300));
  EXPECT_EQ(kept->epoch, other.epochs.current("acme", clock.steady_now())->epoch);
}

TEST_F(SharedSearchesTest, AChangeThatEitherHasHeardOfEndsIt) {
  leave(one, "found");
  other.hear(6, {"acme"}, clock.steady_now());
  EXPECT_EQ(body_of(find(other)), "(ask)");
  EXPECT_EQ(body_of(find(one)), "found");  // it has not heard of it, and could not know
  leave(other, "newer");
  EXPECT_EQ(body_of(find(one)), "newer");
}

TEST_F(SharedSearchesTest, AChangeOfAnotherTenantEndsNothing) {
  leave(one, "found");
  other.hear(6, {"umbrella"}, clock.steady_now());
  EXPECT_EQ(body_of(find(other)), "found");
}

TEST_F(SharedSearchesTest, ItsOwnWriteEndsItUntilSearchHasIndexedItHoweverLongThatTakes) {
  leave(one, "before");
  other.write(clock.steady_now());
  EXPECT_EQ(body_of(find(other)), "(ask)");
  leave(other, "meanwhile");  // goes nowhere
  clock.advance(seconds(5));
  other.hear(5, {}, clock.steady_now());
  EXPECT_EQ(body_of(find(other)), "(ask)");
  one.hear(5, {}, clock.steady_now());
  EXPECT_EQ(body_of(find(one)), "before");
  other.hear(6, {"acme"}, clock.steady_now());
  other.settle(clock.steady_now());
  EXPECT_EQ(body_of(find(other)), "(ask)");
  leave(other, "after");
  EXPECT_EQ(body_of(find(one)), "after");
}

TEST_F(SharedSearchesTest, AnotherRunOfSearchMakesAllNumbersWorthless) {
  leave(one, "found");
  other.hear(1, {}, clock.steady_now(), true, "j");
  EXPECT_EQ(body_of(find(other)), "(ask)");
}

TEST_F(SharedSearchesTest, AnAnswerThatAChangeOvertakesOnItsWayIsNotGiven) {
  leave(one, "found");
  answers.while_asked = [&] { other.hear(6, {"acme"}, clock.steady_now()); };
  EXPECT_EQ(body_of(find(other)), "(ask)");
}

TEST_F(SharedSearchesTest, AnAnswerThatComesWhenSearchIsNotHeardAnyMoreIsNotGiven) {
  leave(one, "found");
  answers.while_asked = [&] { clock.advance(seconds(2)); };
  EXPECT_EQ(body_of(find(other)), "(ask)");
}

TEST_F(SharedSearchesTest, OneGatewayAsksAndTheOtherWaitsForIt) {
  auto asking = question(find(one));
  ASSERT_TRUE(asking.has_value());
  int looks = 0;
  answers.while_asked = [&] {
    if (++looks == 3) asking->publish(answer("found"));
  };
  EXPECT_EQ(body_of(find(other)), "found");
  EXPECT_EQ(looks, 4);
}

TEST_F(SharedSearchesTest, AGatewayThatAsksForTooLongIsNotWaitedFor) {
  const auto asking = question(find(one));
  const SteadyTime began = clock.steady_now();
  EXPECT_EQ(body_of(find(other)), "(ask)");
  EXPECT_EQ(clock.steady_now() - began, SharedSearches::kLongestWait);
}

TEST_F(SharedSearchesTest, AQuestionThatCameToNothingFallsToTheNext) {
  question(find(one)).reset();
  const SteadyTime began = clock.steady_now();
  EXPECT_EQ(body_of(find(other)), "(ask)");
  EXPECT_EQ(clock.steady_now(), began);
}

TEST_F(SharedSearchesTest, WithoutTheStoreEachAsksForItself) {
  leave(one, "found");
  answers.away = true;
  EXPECT_EQ(body_of(find(other)), "(ask)");
  leave(other, "nowhere");
  answers.away = false;
  EXPECT_EQ(body_of(find(other)), "found");
}

TEST_F(SharedSearchesTest, ItIsNotEvenLookedForWhereNothingWouldBeGood) {
  other.write(clock.steady_now());
  answers.looks = 0;
  (void)find(other);
  EXPECT_EQ(answers.looks, 0);
}

// Search, as gateways see it: writes are committed, later indexed, and then told of by numbers. An answer is what is
// indexed, as a version that only grows.
class History : public SharedSearchesTest {
 protected:
  struct Follower {
    OneGateway& gateway;
    std::int64_t written = 0;  // the latest of its own writes that was answered, as a version
    std::int64_t told = 0;     // the version that it has heard of
    std::optional<CachedAnswer> fetched;
    std::optional<SharedSearches::Question> asking;
    std::uint64_t epoch = 0;
  };

  void index_one() {
    if (indexed == committed) return;
    ++indexed;
    ++through;
  }
  // An answer of the feed: the numbers, and whether all is indexed that was committed when it was asked.
  void poll(Follower& at) {
    const bool changed = indexed > at.told;
    at.gateway.hear(through, changed ? std::vector<std::string>{"acme"} : std::vector<std::string>{},
                    clock.steady_now());
    at.told = indexed;
    if (indexed == committed) at.gateway.settle(clock.steady_now());
  }
  void write(Follower& at) {
    at.written = ++committed;
    at.gateway.write(clock.steady_now());
  }
  void look(Follower& at) {
    const auto standing = at.gateway.epochs.current("acme", clock.steady_now());
    if (at.asking || !standing) return;
    SharedSearches::Found found = find(at.gateway);
    if (const auto* const kept = std::get_if<KeptAnswer>(&found)) {
      ++given;
      const std::int64_t version = std::stoll((*kept)->body);
      EXPECT_GE(version, at.told) << "older than a change that it had heard of";
      EXPECT_GE(version, at.written) << "without a write of its own";
      return;
    }
    at.asking.emplace(std::move(std::get<SharedSearches::Question>(found)));
    at.epoch = standing->epoch;
  }
  // Search answers with what is indexed now; the gateway keeps that where nothing has happened meanwhile.
  void answered(Follower& at) {
    if (!at.asking) return;
    at.fetched = answer(std::to_string(indexed));
    const auto now = at.gateway.epochs.current("acme", clock.steady_now());
    if (now && now->settled && now->epoch == at.epoch) at.asking->publish(*at.fetched);
    at.asking.reset();
  }

  std::int64_t committed = 0;
  std::int64_t indexed = 0;
  std::int64_t through = 5;
  int given = 0;
};

TEST_F(History, NoAnswerIsOlderThanWhatItsGatewayHasHeardOrWritten) {
  const auto seed = static_cast<std::uint64_t>(std::random_device{}());
  SCOPED_TRACE("seed " + std::to_string(seed));
  SeededRandom random(seed);
  Follower followers[] = {{one}, {other}};
  for (int step = 0; step < 20'000 && !HasFailure(); ++step) {
    Follower& at = followers[random.below(2)];
    switch (random.below(20)) {
      case 0:
        write(at);
        break;
      case 1:
      case 2:
        index_one();
        break;
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
        poll(at);
        break;
      case 8:
        clock.advance(milliseconds(static_cast<std::int64_t>(random.below(400))));
        break;
      case 9:
      case 10:
      case 11:
        answered(at);
        break;
      default:
        look(at);
    }
    clock.advance(milliseconds(1));
  }
  EXPECT_GT(given, 200);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Memory, SharedAnswersContract, ::testing::Values(make_memory_answers));
}  // namespace testing
}  // namespace parley::gateway
