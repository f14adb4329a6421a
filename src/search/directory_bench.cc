// Suggestions, and finding conversations and people, over an index of 1,000,000 messages that search_bench has made:
// PARLEY_BENCH_FOLDER names it. Gives its 2,000 conversations names, adds 20,000 people where they are missing, and
// prints p50 and p99: for a member of 200 conversations with the biggest among them, for one of the 200 smallest, whose
// words are few beside the others', and for a scope of 5,000, the most there may be, with all 2,000 in it.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>

#include "base/run_on_loop.h"
#include "search/stores/fts5_search_index.h"

namespace parley::search {
namespace {

constexpr int kConversations = 2000, kMemberOf = 200, kPeople = 20'000;
constexpr std::array kFirstNames{"Ada", "Björn", "Chiara", "Dmitri", "Emre", "Fatima", "Grace", "Hana", "Ivo", "José"};
constexpr std::array kLastNames{"Lovelace", "Nuñez", "Øvergård", "Petrov", "Yılmaz", "Hopper", "Tanaka", "Thompson"};
constexpr std::array kSubjects{"design", "kernel", "install", "network", "theme", "ubuntu", "wireless", "会議室"};

class BenchedDirectory {
 public:
  BenchedDirectory() : loops_(1) {
    const char* folder = std::getenv("PARLEY_BENCH_FOLDER");
    if (!folder) return;
    loops_.start();
    index_ = *SqliteSearchIndex::open({.folder = folder}, clock_);
    fill();
    for (int room = 0; room < kMemberOf; ++room) add_room(member, room == 0 ? 0 : room * 10 - 1);
    for (int room = kConversations - kMemberOf; room < kConversations; ++room) add_room(of_small_rooms, room);
    for (int room = 0; room < static_cast<int>(kMaxScope); ++room) add_room(widest, room);
  }
  bool ready() const { return index_ != nullptr; }

  void suggest(const SearchScope& scope, const char* prefix) {
    const auto made = run_on_loop(loops_.at(0), index_->suggest({.scope = scope, .prefix = prefix}, SteadyTime::max()));
    CHECK(made.has_value());
  }
  void conversations(const SearchScope& scope, const char* text) {
    const DirectoryRequest request{.scope = scope, .text = text, .after = {}};
    CHECK(run_on_loop(loops_.at(0), index_->find_conversations(request, SteadyTime::max())).has_value());
  }
  void users(const SearchScope& scope, const char* text) {
    const DirectoryRequest request{.scope = scope, .text = text, .after = {}};
    CHECK(run_on_loop(loops_.at(0), index_->find_users(request, SteadyTime::max())).has_value());
  }

  SearchScope member, of_small_rooms, widest;

 private:
  static void add_room(SearchScope& scope, int room) {
    scope.tenant = TenantId("acme");
    scope.conversations.emplace_back(fmt::format("room-{}", room));
  }
  void fill() {
    ChangeBatch batch;
    for (int i = 0; i < kConversations; ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.changes.push_back(
          {TenantId("acme"), ConversationId(fmt::format("room-{}", i)), 1,
           ConversationWritten{.name = fmt::format("{} {}", kSubjects[at % kSubjects.size()], i),
                               .topic = fmt::format("all about {}", kSubjects[at / 7 % kSubjects.size()])}});
    }
    for (int i = 0; i < kPeople; ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.changes.push_back(
          {TenantId("acme"), ConversationId(), 1,
           UserWritten{UserId(fmt::format("user-{}", i)), fmt::format("{} {}", kFirstNames[at % kFirstNames.size()],
                                                                      kLastNames[at / 10 % kLastNames.size()])}});
    }
    const auto began = std::chrono::steady_clock::now();
    const std::size_t count = batch.changes.size();
    const auto outcome = run_on_loop(loops_.at(0), index_->apply(std::move(batch), SteadyTime::max())).value();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    if (outcome.applied > 0) {
      fmt::print("{} entries in {:.1f} s: {:.0f}/s\n", count, took.count(), static_cast<double>(count) / took.count());
    }
  }

  SystemClock clock_;
  EventLoops loops_;
  std::unique_ptr<SqliteSearchIndex> index_;
};

BenchedDirectory& benched() {
  static BenchedDirectory directory;
  return directory;
}

using Ask = void (BenchedDirectory::*)(const SearchScope&, const char*);

void measure(benchmark::State& state, Ask ask, SearchScope BenchedDirectory::* scope, const char* text) {
  if (!benched().ready()) return state.SkipWithError("set PARLEY_BENCH_FOLDER to an index that search_bench has made");
  std::vector<double> took_ms;
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    (benched().*ask)(benched().*scope, text);
    took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  if (took_ms.empty()) return;
  std::ranges::sort(took_ms);
  state.counters["p50_ms"] = took_ms[took_ms.size() / 2];
  state.counters["p99_ms"] = took_ms[took_ms.size() * 99 / 100];
}

#define DIRECTORY_BENCH(name, ask, scope, text)                                            \
  BENCHMARK_CAPTURE(measure, name, &BenchedDirectory::ask, &BenchedDirectory::scope, text) \
      ->Unit(benchmark::kMillisecond)                                                      \
      ->Iterations(200)
DIRECTORY_BENCH(suggest / th, suggest, member, "th");
DIRECTORY_BENCH(suggest / the, suggest, member, "the");
DIRECTORY_BENCH(suggest / ubun, suggest, member, "ubun");
DIRECTORY_BENCH(suggest / inst, suggest, member, "inst");
DIRECTORY_BENCH(suggest / ndis, suggest, member, "ndis");
DIRECTORY_BENCH(suggest / xq, suggest, member, "xq");
DIRECTORY_BENCH(suggest / han, suggest, member, "会議");
DIRECTORY_BENCH(suggest / name_of_many, suggest, member, "hopper");
DIRECTORY_BENCH(suggest / two_words, suggest, member, "grace ho");
DIRECTORY_BENCH(suggest / th / small_rooms, suggest, of_small_rooms, "th");
DIRECTORY_BENCH(suggest / ubun / small_rooms, suggest, of_small_rooms, "ubun");
DIRECTORY_BENCH(suggest / ndis / small_rooms, suggest, of_small_rooms, "ndis");
DIRECTORY_BENCH(suggest / th / widest, suggest, widest, "th");
DIRECTORY_BENCH(suggest / ndis / widest, suggest, widest, "ndis");
DIRECTORY_BENCH(conversations / member, conversations, member, "design");
DIRECTORY_BENCH(conversations / widest, conversations, widest, "design");
DIRECTORY_BENCH(users / begins, users, member, "gra");
DIRECTORY_BENCH(users / word_of_many, users, member, "lovelace");
DIRECTORY_BENCH(users / two_words, users, member, "hopper grace");
DIRECTORY_BENCH(users / nobody, users, member, "zzyzx");

}  // namespace
}  // namespace parley::search
