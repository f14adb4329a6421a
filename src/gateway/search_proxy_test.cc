#include "gateway/search_proxy.h"

#include <gtest/gtest.h>

#include <boost/asio/use_future.hpp>
#include <future>

#include "gateway/testing/fakes.h"
#include "gateway/testing/held_upstream.h"
#include "gateway/testing/memory_shared_answers.h"
#include "tenancy/caller.h"

namespace parley::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HeldUpstream;

struct Ask {
  std::string target = "/v1/search/messages?q=hello";
  Caller caller{.tenant = TenantId("acme"), .user = UserId("ada")};
  bool known = true;  // false: no caller was set
  http::Method method = http::Method::kGet;
  std::vector<std::pair<std::string, std::string>> fields = {{"Authorization", "Bearer t"}};
  SteadyTime deadline = SteadyTime::max();
  std::size_t loop = 0;
  bool clears = false;  // the recent searches
};

struct Answer {
  int status = 0;
  std::string body;
  std::string text;  // of the fields
  std::optional<std::string> cache;
  std::optional<std::string> age;
};

class SearchProxyTest : public ::testing::Test {
 protected:
  SearchProxyTest() {
    settings.breaker.volume_threshold = 1'000;
    settings.retry.max_attempts = 1;
    resilient.emplace(search, settings, clock, random, timer, std::make_shared<UpstreamObserver>());
    plain.emplace(*resilient, ForwardingRules{}, clock, random);
    recent.emplace(notes, clock, metrics);
    cache.emplace(limits);
    proxy.emplace(*plain, *cache, epochs, *recent, clock, metrics);
    loops.start();
    on_loop([this] { recent->start(loops.at(0)); });
    notes.answer_at_once(HeldUpstream::text("", 204));
    epochs.heard(clock.steady_now());
  }
  ~SearchProxyTest() override {
    std::promise<void> stopped;
    loops.at(0).post([&] { recent->stop([&stopped] { stopped.set_value(); }); });
    stopped.get_future().get();
    loops.stop();
  }
  void on_loop(std::move_only_function<void()> work) {
    std::promise<void> done;
    loops.at(0).post([&] {
      work();
      done.set_value();
    });
    done.get_future().get();
  }

  std::future<Answer> start(Ask ask) {
    const std::size_t at = ask.loop;
    return asio::co_spawn(loops.at(at).io(), serve(*this, std::move(ask)), asio::use_future);
  }
  Answer ask(Ask one = {}) { return start(std::move(one)).get(); }
  Answer ask(std::string target) { return ask({.target = std::move(target)}); }
  static Task<Answer> serve(SearchProxyTest& test, Ask ask) {
    http::TextBody nothing("");
    http::Request request;
    request.method = ask.method;
    request.method_text = to_string(ask.method);
    request.set_target(ask.target);
    for (const auto& [name, value] : ask.fields) request.fields.add(name, value);
    request.body = &nothing;
    request.peer = "10.0.0.1";
    http::Exchange exchange(request);
    exchange.request_id = "rid";
    exchange.deadline = ask.deadline;
    if (ask.known) exchange.caller = std::make_shared<const Caller>(ask.caller);
    ++test.begun;
    http::Response response =
        ask.clears ? co_await test.proxy->clear_recent(exchange) : co_await test.proxy->search(exchange);
    Answer answer{.status = response.status, .body = std::move(response.body), .text = response.headers.text()};
    if (response.stream) {
      Result<std::string> rest = co_await http::read_all(*response.stream, 10'000'000);
      answer.body = rest ? std::move(*rest) : "(failed)";
    }
    if (const auto value = response.headers.find("X-Cache")) answer.cache = *value;
    if (const auto value = response.headers.find("Age")) answer.age = *value;
    co_return answer;
  }
  // Starts one that finds the question of another under way: returns once it waits for it.
  std::future<Answer> follow(Ask one = {}) {
    const int before = begun.load();
    const std::size_t at = one.loop;
    auto answer = start(std::move(one));
    while (begun.load() == before) std::this_thread::yield();
    std::promise<void> settled;  // what was begun on that loop has come to its wait
    loops.at(at).post([&settled] { settled.set_value(); });
    settled.get_future().get();
    return answer;
  }
  void pass(milliseconds time) {
    clock.advance(time);
    epochs.heard(clock.steady_now());
  }
  double count(const std::string& result) const {
    const std::string line = "\nparley_gateway_search_cache_requests_total{result=\"" + result + "\"} ";
    const std::string text = metrics.text();
    return std::stod(text.substr(text.find(line) + line.size()));
  }

  EventLoops loops{2};
  ManualClock clock;
  SeededRandom random{1};
  testing::InstantTimer timer{clock};
  Metrics metrics;
  ResilienceSettings settings;
  SearchCache::Limits limits;
  TenantEpochs epochs{milliseconds(1'000)};
  std::shared_ptr<HeldUpstream> search = std::make_shared<HeldUpstream>();
  HeldUpstream notes;
  std::optional<ResilientUpstream> resilient;
  std::optional<Proxy> plain;
  std::optional<RecentRecorder> recent;
  std::optional<SearchCache> cache;
  std::optional<SearchProxy> proxy;
  std::atomic<int> begun{0};
};

TEST_F(SearchProxyTest, AnswersTheSameSearchAgainWithItsAge) {
  search->answer_at_once(HeldUpstream::text("found"));
  const Answer first = ask();
  EXPECT_EQ(first.cache, "miss");
  EXPECT_EQ(first.age, std::nullopt);
  pass(milliseconds(5'999));
  const Answer again = ask("/v1/search/messages?&q=%68ello");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, "found");
  EXPECT_EQ(again.cache, "hit");
  EXPECT_EQ(again.age, "5");
  EXPECT_NE(again.text.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(search->targets(), std::vector<std::string>{"/search/messages?q=hello"});
  EXPECT_EQ(count("hit"), 1);
  EXPECT_EQ(count("miss"), 1);
}

// A second gateway before the same search, with what the first one left.
class SearchProxyOfTwoTest : public SearchProxyTest {
 protected:
  SearchProxyOfTwoTest() {
    numbers.hear("i", 5, true, {});
    shared.emplace(answers, numbers, epochs, seconds(60), clock, timer, metrics);
    become_another();
    search->answer_at_once(HeldUpstream::text("found"));
  }
  // With an empty cache of its own.
  void become_another() {
    proxy.reset();
    cache.emplace(limits);
    proxy.emplace(*plain, *cache, epochs, *recent, clock, metrics, &*shared);
  }
  void hear_a_change(std::int64_t number) {
    numbers.hear("i", number, false, {"acme"});
    epochs.changed("acme");
  }

  testing::MemorySharedAnswers answers{clock};
  ChangeNumbers numbers;
  std::optional<SharedSearches> shared;
};

TEST_F(SearchProxyOfTwoTest, WhatOneFoundIsKeptByTheOtherAndRemembered) {
  EXPECT_EQ(ask().cache, "miss");
  become_another();
  pass(milliseconds(2'100));
  const Answer from_one = ask();
  EXPECT_EQ(from_one.body, "found");
  EXPECT_EQ(from_one.cache, "hit");
  EXPECT_EQ(from_one.age, "2");
  EXPECT_EQ(count("elsewhere"), 1);
  notes.wait_for_calls(1);  // the user's recent searches
  EXPECT_EQ(ask().cache, "hit");
  EXPECT_EQ(count("hit"), 1);
  EXPECT_EQ(search->calls(), 1u);
}

TEST_F(SearchProxyOfTwoTest, AnotherUserIsNotGivenIt) {
  ask();
  become_another();
  const Answer other = ask({.caller = {.tenant = TenantId("acme"), .user = UserId("ben")}});
  EXPECT_EQ(other.cache, "miss");
  EXPECT_EQ(ask({.caller = {.tenant = TenantId("umbrella"), .user = UserId("ada")}}).cache, "miss");
  EXPECT_EQ(search->calls(), 3u);
}

TEST_F(SearchProxyOfTwoTest, AfterAChangeItIsAskedAnew) {
  ask();
  become_another();
  hear_a_change(6);
  search->answer_at_once(HeldUpstream::text("new"));
  EXPECT_EQ(ask().body, "new");
  become_another();
  EXPECT_EQ(ask().body, "new");
  EXPECT_EQ(search->calls(), 2u);
}

TEST_F(SearchProxyOfTwoTest, WhatAChangeOvertookAndWhatIsNoWhole200IsNotLeft) {
  search->answer_at_once(nullptr);
  auto slow = start({});
  search->wait_for_calls(1);
  hear_a_change(6);
  search->answer(0, HeldUpstream::text("perhaps old"));
  slow.get();
  search->answer_at_once(HeldUpstream::text("no", 500));
  become_another();
  EXPECT_EQ(ask().status, 500);
  search->answer_at_once(HeldUpstream::text("new"));
  become_another();
  EXPECT_EQ(ask().body, "new");
  EXPECT_EQ(search->calls(), 3u);
}

TEST_F(SearchProxyOfTwoTest, WithoutTheStoreEachGatewayHasItsOwnCache) {
  answers.away = true;
  EXPECT_EQ(ask().cache, "miss");
  EXPECT_EQ(ask().cache, "hit");
  become_another();
  EXPECT_EQ(ask().cache, "miss");
}

TEST_F(SearchProxyTest, KeepsNothingThatBelongsToOneRequest) {
  search->answer_at_once([]() -> Result<http::Response> {
    http::Response response = http::json_response(200, "{}");
    response.headers.add("X-Request-Id", "first");
    response.headers.add("RateLimit-Remaining", "7");
    response.headers.add("Set-Cookie", "a=b");
    response.headers.add("Cache-Control", "private, no-cache");
    return response;
  });
  EXPECT_NE(ask().text.find("RateLimit-Remaining: 7"), std::string::npos);
  EXPECT_EQ(ask().text,
            "Content-Type: application/json\r\nCache-Control: private, no-cache\r\nX-Cache: hit\r\nAge: 0\r\n");
}

TEST_F(SearchProxyTest, AsksAnewWhenItsTimeIsUp) {
  search->answer_at_once(HeldUpstream::text("found"));
  ask();
  pass(milliseconds(59'999));
  EXPECT_EQ(ask().cache, "hit");
  pass(milliseconds(1));
  EXPECT_EQ(ask().cache, "miss");
}

TEST_F(SearchProxyTest, AsksAnewAfterAChangeInTheTenantAndInNoOther) {
  search->answer_at_once(HeldUpstream::text("before"));
  ask();
  epochs.changed("other");
  EXPECT_EQ(ask().cache, "hit");
  search->answer_at_once(HeldUpstream::text("after"));
  epochs.changed("acme");
  const Answer answer = ask();
  EXPECT_EQ(answer.cache, "miss");
  EXPECT_EQ(answer.body, "after");
  EXPECT_EQ(ask().cache, "hit");
  epochs.all_changed();
  EXPECT_EQ(ask().cache, "miss");
}

// A change may be told while the question is under way, and the answer may be from before it.
TEST_F(SearchProxyTest, AnAnswerThatAChangeOvertookIsNotGivenAgain) {
  auto slow = start({});
  search->wait_for_calls(1);
  epochs.changed("acme");
  search->answer(0, HeldUpstream::text("perhaps old"));
  EXPECT_EQ(slow.get().body, "perhaps old");
  search->answer_at_once(HeldUpstream::text("new"));
  EXPECT_EQ(ask().body, "new");
}

// Between its answer and its indexing search alone is right: it reads each hit from messaging before it shows it.
TEST_F(SearchProxyTest, AfterAWriteNothingFromBeforeItIsGivenAndNothingKeptUntilItCanBeFound) {
  search->answer_at_once(HeldUpstream::text("before"));
  ask();
  EXPECT_EQ(ask().cache, "hit");
  search->answer_at_once(HeldUpstream::text("after, perhaps without what was written"));
  epochs.written("acme", clock.steady_now());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask().cache, "miss");
  EXPECT_EQ(ask({.caller = {.tenant = TenantId("other"), .user = UserId("ada")}}).cache, "miss");
  EXPECT_EQ(ask({.caller = {.tenant = TenantId("other"), .user = UserId("ada")}}).cache, "hit");
  pass(milliseconds(1));
  epochs.settled(clock.steady_now());
  search->answer_at_once(HeldUpstream::text("with it"));
  EXPECT_EQ(ask().body, "with it");
  EXPECT_EQ(ask().cache, "hit");
}

TEST_F(SearchProxyTest, AnAnswerThatAWriteOvertookIsNotGivenAgain) {
  auto slow = start({});
  search->wait_for_calls(1);
  epochs.written("acme", clock.steady_now());
  auto later = follow();
  search->wait_for_calls(2);
  search->answer(0, HeldUpstream::text("perhaps old"));
  EXPECT_EQ(slow.get().body, "perhaps old");
  search->answer(1, HeldUpstream::text("perhaps not indexed"));
  EXPECT_EQ(later.get().body, "perhaps not indexed");
  pass(milliseconds(1));
  epochs.settled(clock.steady_now());
  search->answer_at_once(HeldUpstream::text("new"));
  EXPECT_EQ(ask().body, "new");
}

TEST_F(SearchProxyTest, AStampedeAfterAWriteAsksOnceToo) {
  epochs.written("acme", clock.steady_now());
  std::vector<std::future<Answer>> all;
  for (std::size_t i = 0; i < 40; ++i) all.push_back(follow({.loop = i % 2}));
  EXPECT_EQ(search->calls(), 1u);
  search->answer(0, HeldUpstream::text("found"));
  for (auto& one : all) EXPECT_EQ(one.get().body, "found");
  EXPECT_EQ(cache->counts().entries, 0u);
}

TEST_F(SearchProxyTest, IsNotUsedOnceSearchIsSilentForASecond) {
  search->answer_at_once(HeldUpstream::text("found"));
  ask();
  clock.advance(milliseconds(999));
  EXPECT_EQ(ask().cache, "hit");
  clock.advance(milliseconds(1));
  EXPECT_EQ(ask().cache, "miss");
  EXPECT_EQ(ask().cache, "miss");
  EXPECT_EQ(count("unheard"), 2);
  epochs.heard(clock.steady_now());  // and nothing has changed in the meantime
  EXPECT_EQ(ask().cache, "hit");
}

TEST_F(SearchProxyTest, SearchWorksWithoutNewsOfItAsIfThereWereNoCache) {
  clock.advance(seconds(10));
  auto one = start({}), two = start({.loop = 1});
  search->wait_for_calls(2);
  search->answer(0, HeldUpstream::text("a"));
  search->answer(1, HeldUpstream::text("b"));
  EXPECT_EQ(one.get().status, 200);
  EXPECT_EQ(two.get().status, 200);
  EXPECT_EQ(cache->counts().entries, 0u);
}

TEST_F(SearchProxyTest, NobodySeesWhatAnotherFound) {
  search->answer_at_once(HeldUpstream::text("ada's"));
  ask();
  search->answer_at_once(HeldUpstream::text("another's"));
  for (const Caller& other : {Caller{.tenant = TenantId("acme"), .user = UserId("bob")},
                              Caller{.tenant = TenantId("other"), .user = UserId("ada")},
                              Caller{.tenant = TenantId("acme"), .user = UserId("ada"), .roles = {.admin = true}}}) {
    const Answer answer = ask({.caller = other});
    EXPECT_EQ(answer.cache, "miss");
    EXPECT_EQ(answer.body, "another's");
  }
  EXPECT_EQ(ask().body, "ada's");
}

TEST_F(SearchProxyTest, NobodyWaitsForAnothersQuestion) {
  auto ada = start({});
  search->wait_for_calls(1);
  auto bob = start({.caller = {.tenant = TenantId("acme"), .user = UserId("bob")}});
  auto stranger = start({.caller = {.tenant = TenantId("other"), .user = UserId("ada")}, .loop = 1});
  search->wait_for_calls(3);
  for (std::size_t i = 0; i < 3; ++i) search->answer(i, HeldUpstream::text("x"));
  for (auto* one : {&ada, &bob, &stranger}) EXPECT_EQ(one->get().cache, "miss");
}

TEST_F(SearchProxyTest, WhoWantsWhatWasJustWrittenAsksSearch) {
  search->answer_at_once(HeldUpstream::text("found"));
  ask();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask("/v1/search/messages?q=hello&min_position=p").cache, "miss");
  EXPECT_EQ(ask({.method = http::Method::kHead}).cache, "miss");
  EXPECT_EQ(ask({.fields = {{"Cache-Control", "no-cache"}}}).cache, "miss");
  EXPECT_EQ(ask({.known = false}).cache, "miss");
  EXPECT_EQ(ask("/v1/search/messages?q=hello&q=hello").cache, "miss");
  EXPECT_EQ(count("bypass"), 6);
  EXPECT_EQ(search->calls(), 7u);
}

TEST_F(SearchProxyTest, KeepsWhole200sAlone) {
  for (const int status : {201, 202, 204, 206, 301, 304, 400, 401, 403, 404, 410, 429, 500, 503, 504}) {
    search->answer_at_once(HeldUpstream::text("{}", status));
    for (int i = 0; i < 2; ++i) {
      const Answer answer = ask();
      EXPECT_EQ(answer.status, status);
      EXPECT_EQ(answer.cache, "miss");
    }
  }
  search->answer_at_once([]() -> Result<http::Response> { return fail(ErrorKind::kUnavailable, "x", "gone"); });
  EXPECT_EQ(ask().status, 503);
  EXPECT_EQ(ask().cache, "miss");
  EXPECT_EQ(cache->counts().entries, 0u);
}

HeldUpstream::Reply streamed(std::vector<std::string> pieces, std::optional<std::uint64_t> size,
                             std::optional<Error> error = {}) {
  return [=]() -> Result<http::Response> {
    http::Response response = http::json_response(200, {});
    response.stream = std::make_unique<testing::ScriptedBody>(pieces, size, error);
    return response;
  };
}

TEST_F(SearchProxyTest, KeepsAnAnswerThatComesInPieces) {
  search->answer_at_once(streamed({"fou", "nd"}, 5));
  EXPECT_EQ(ask().body, "found");
  const Answer again = ask();
  EXPECT_EQ(again.cache, "hit");
  EXPECT_EQ(again.body, "found");
}

TEST_F(SearchProxyTest, PassesOnWhatIsTooLargeOrOfUnknownLength) {
  const std::string large(limits.answer_bytes + 1, 'x');
  search->answer_at_once(streamed({large}, large.size()));
  EXPECT_EQ(ask().body, large);
  EXPECT_EQ(ask().cache, "miss");
  search->answer_at_once(streamed({"fou", "nd"}, std::nullopt));
  EXPECT_EQ(ask("/v1/search/messages?q=2").body, "found");
  EXPECT_EQ(ask("/v1/search/messages?q=2").cache, "miss");
  search->answer_at_once(HeldUpstream::text(large));
  EXPECT_EQ(ask("/v1/search/messages?q=3").body, large);
  EXPECT_EQ(ask("/v1/search/messages?q=3").cache, "miss");
}

TEST_F(SearchProxyTest, AnAnswerThatBreaksOffIsAProblemAndNotKept) {
  search->answer_at_once(streamed({"fou"}, 5, Error{ErrorKind::kUnavailable, "lost", "secret", {}, {}}));
  const Answer answer = ask();
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.cache, "miss");
  EXPECT_NE(answer.body.find("\"upstream_unavailable\""), std::string::npos);
  EXPECT_NE(answer.text.find("Retry-After"), std::string::npos);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  search->answer_at_once(HeldUpstream::text("found"));
  EXPECT_EQ(ask().body, "found");
}

TEST_F(SearchProxyTest, AStampedeAsksOnce) {
  std::vector<std::future<Answer>> all;
  for (std::size_t i = 0; i < 40; ++i) all.push_back(follow({.loop = i % 2}));
  EXPECT_EQ(search->calls(), 1u);
  search->answer(0, HeldUpstream::text("found"));
  int misses = 0;
  for (auto& one : all) {
    const Answer answer = one.get();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "found");
    misses += answer.cache == "miss";
  }
  EXPECT_EQ(misses, 1);
  EXPECT_EQ(search->calls(), 1u);
  EXPECT_EQ(count("shared"), 39);
}

TEST_F(SearchProxyTest, WhoComesAfterAChangeDoesNotGetAnAnswerFromBeforeIt) {
  auto early = follow();
  search->wait_for_calls(1);
  epochs.changed("acme");
  auto late = follow();
  search->wait_for_calls(2);
  auto later = follow({.loop = 1});
  search->answer(0, HeldUpstream::text("old"));
  EXPECT_EQ(early.get().body, "old");
  search->answer(1, HeldUpstream::text("new"));
  EXPECT_EQ(late.get().body, "new");
  EXPECT_EQ(later.get().body, "new");
  EXPECT_EQ(ask().body, "new");
  EXPECT_EQ(search->calls(), 2u);
}

TEST_F(SearchProxyTest, WhenTheOneWhoAskedGetsNoAnswerTheOthersAskForThemselves) {
  std::vector<std::future<Answer>> all;
  for (std::size_t i = 0; i < 4; ++i) all.push_back(follow({.loop = i % 2}));
  search->wait_for_calls(1);
  search->answer(0, HeldUpstream::text("{}", 429));
  search->wait_for_calls(4);
  for (std::size_t i = 1; i < 4; ++i) search->answer(i, HeldUpstream::text("found"));
  int found = 0;
  for (auto& one : all) found += one.get().body == "found";
  EXPECT_EQ(found, 3);
}

TEST_F(SearchProxyTest, WhenTheOneWhoAskedIsTornDownTheOthersAskForThemselves) {
  auto first = follow();
  search->wait_for_calls(1);
  auto other = follow({.loop = 1});
  search->answer(0, []() -> Result<http::Response> { throw std::runtime_error("torn down"); });
  search->wait_for_calls(2);
  search->answer(1, HeldUpstream::text("found"));
  EXPECT_EQ(other.get().body, "found");
  EXPECT_THROW(first.get(), std::runtime_error);
}

TEST_F(SearchProxyTest, WhoWaitsDoesNotWaitPastItsDeadline) {
  auto patient = follow();
  search->wait_for_calls(1);
  const Answer late = ask({.deadline = std::chrono::steady_clock::now(), .loop = 1});
  EXPECT_EQ(late.status, 504);
  EXPECT_EQ(late.cache, "miss");
  EXPECT_NE(late.body.find("\"deadline_exceeded\""), std::string::npos);
  search->answer(0, HeldUpstream::text("found"));
  EXPECT_EQ(patient.get().body, "found");
}

TEST_F(SearchProxyTest, SearchesThatTheCacheAnswersAreAmongTheRecentOnes) {
  search->answer_at_once(HeldUpstream::text("found"));
  ask();
  pass(milliseconds(999));
  ask();  // search noted it itself less than a second ago
  pass(milliseconds(1));
  ask();
  ask();
  notes.wait_for_calls(1);
  pass(milliseconds(1'000));
  ask();
  notes.wait_for_calls(2);
  EXPECT_EQ(notes.targets(), (std::vector<std::string>{"/internal/recent", "/internal/recent"}));
}

TEST_F(SearchProxyTest, AQuickRepeatAfterAnotherSearchIsToldAtOnce) {
  search->answer_at_once(HeldUpstream::text("found"));
  const std::string first = "/v1/search/messages?q=first", second = "/v1/search/messages?q=second";
  ask(first);
  ask(second);
  EXPECT_EQ(ask(first).cache, "hit");
  notes.wait_for_calls(1);
  ask(first);  // it stands first already
  EXPECT_EQ(ask(second).cache, "hit");
  notes.wait_for_calls(2);
  // What search is asked past the cache it records by itself.
  ask(first + "&min_position=p");
  EXPECT_EQ(ask(second).cache, "hit");
  notes.wait_for_calls(3);
  on_loop([] {});
  EXPECT_EQ(notes.calls(), 3u);
}

TEST_F(SearchProxyTest, AfterTheRecentOnesWereClearedARepeatIsToldAtOnce) {
  search->answer_at_once(HeldUpstream::text("found"));
  ask();
  EXPECT_EQ(ask({.target = "/v1/search/recent", .method = http::Method::kDelete, .clears = true}).status, 200);
  EXPECT_EQ(ask().cache, "hit");
  notes.wait_for_calls(1);
}

TEST_F(SearchProxyTest, PagesAndSearchesWithoutWordsAreNoRecentOnes) {
  search->answer_at_once(HeldUpstream::text("found"));
  for (const char* target : {"/v1/search/messages?q=hello&cursor=c", "/v1/search/messages?from=bob"}) {
    ask(target);
    pass(milliseconds(2'000));
    EXPECT_EQ(ask(target).cache, "hit");
  }
  on_loop([] {});
  EXPECT_EQ(notes.calls(), 0u);
}

}  // namespace
}  // namespace parley::gateway
