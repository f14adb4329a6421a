// Indexing and queries over real chat lines: 1,000,000 messages in 2,000 conversations, searched by a member of 200 of
// them, the biggest among them. PARLEY_BENCH_CORPUS names a folder of text files, one message a line;
// PARLEY_BENCH_LINES says how many messages to make of it; PARLEY_BENCH_FOLDER keeps the index, or uses the one that is
// there. Prints documents a second, the size beside the text, table by table, and of queries p50 and p99 and the mean
// processor time, which other load on the machine moves less.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <fstream>

#include "base/run_on_loop.h"
#include "drivers/sqlite/temp_folder.h"
#include "search/query_parser.h"
#include "search/stores/fts5_search_index.h"

namespace parley::search {
namespace {

constexpr int kConversations = 2000;
constexpr int kMemberOf = 200;
constexpr std::size_t kBatch = 1000;
constexpr std::int64_t kFirstMs = 1'500'000'000'000;

std::vector<std::string> read_corpus(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<std::string> lines;
  for (const auto& file : files) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const std::size_t said = line.find("> ");
      if (!line.starts_with('[') || said == line.npos) continue;
      lines.push_back(line.substr(said + 2));
    }
  }
  return lines;
}

class BenchedIndex {
 public:
  BenchedIndex() : loops_(1) {
    const char* corpus = std::getenv("PARLEY_BENCH_CORPUS");
    if (!corpus) return;
    const char* wanted = std::getenv("PARLEY_BENCH_LINES");
    loops_.start();
    count_ = wanted ? std::strtoll(wanted, nullptr, 10) : 1'000'000;
    const char* kept = std::getenv("PARLEY_BENCH_FOLDER");
    path_ = kept ? std::filesystem::path(kept) : folder_.path() / "search";
    index_ = *SqliteSearchIndex::open({.folder = path_}, clock_);
    make_scope();
    if (run_on_loop(loops_.at(0), index_->indexed_through(SteadyTime::max())).value().value > 0) return;
    fill(read_corpus(corpus));
  }
  bool ready() const { return index_ != nullptr; }

  void search(const Query& query, Sort sort, bool in_small_rooms = false) {
    SearchRequest request{.scope = in_small_rooms ? small_rooms_ : scope_, .query = query, .sort = sort};
    auto page = run_on_loop(loops_.at(0), index_->search(std::move(request), SteadyTime::max()));
    CHECK(page.has_value());
    benchmark::DoNotOptimize(page->items.size());
  }
  void suggest(std::string prefix) {
    auto words =
        run_on_loop(loops_.at(0), index_->suggest({.scope = scope_, .prefix = std::move(prefix)}, SteadyTime::max()));
    CHECK(words.has_value());
  }
  void mend(const Query& query) {
    CHECK(run_on_loop(loops_.at(0), index_->did_you_mean(scope_, query, SteadyTime::max())).has_value());
  }

 private:
  // The n-th conversation has about a share of 1/n: chat has a few big rooms and many small ones.
  static std::vector<int> rooms_by_draw(Random&) {
    std::vector<int> draws;
    for (int room = 0; room < kConversations; ++room) {
      for (int i = 0; i < std::max(1, 20'000 / (room + 1)); ++i) draws.push_back(room);
    }
    return draws;
  }
  void fill(const std::vector<std::string>& lines) {
    SeededRandom random(1);
    const auto draws = rooms_by_draw(random);
    std::vector<std::int64_t> numbers(kConversations, 0);
    std::int64_t text_bytes = 0;
    const auto began = std::chrono::steady_clock::now();
    ChangeBatch batch;
    std::uint64_t dice = 88172645463325252ULL;
    for (std::int64_t i = 0; i < count_; ++i) {
      const std::string& line = lines[static_cast<std::size_t>(i) % lines.size()];
      dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
      const int room = draws[dice % draws.size()];
      const WallTime at(std::chrono::milliseconds(kFirstMs + i * 30'000));
      const std::int64_t number = ++numbers[static_cast<std::size_t>(room)];
      batch.changes.push_back({TenantId("acme"), ConversationId(fmt::format("room-{}", room)), number,
                               MessageWritten{.id = MessageId(make_uuid_v7(at, random)),
                                              .seq = number,
                                              .sender = UserId(fmt::format("user-{}", dice % 997)),
                                              .created_at = at,
                                              .content = line}});
      text_bytes += static_cast<std::int64_t>(line.size());
      if (batch.changes.size() < kBatch && i + 1 < count_) continue;
      batch.through.value = i + 1;
      CHECK(run_on_loop(loops_.at(0), index_->apply(std::move(batch), SteadyTime::max())).has_value());
      batch = {};
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const std::int64_t bytes = print_tables();
    fmt::print("indexed {} messages in {:.1f} s: {:.0f}/s; text {:.1f} MB, index {:.1f} MB = {:.2f} x the text\n",
               count_, took.count(), static_cast<double>(count_) / took.count(), static_cast<double>(text_bytes) / 1e6,
               static_cast<double>(bytes) / 1e6, static_cast<double>(bytes) / static_cast<double>(text_bytes));
    std::fflush(stdout);
  }

  void make_scope() {
    for (int room = 0; room < kMemberOf; ++room) {
      scope_.conversations.emplace_back(fmt::format("room-{}", room == 0 ? 0 : room * 10 - 1));
    }
    for (int room = kConversations - kMemberOf; room < kConversations; ++room) {
      small_rooms_.conversations.emplace_back(fmt::format("room-{}", room));
    }
    scope_.tenant = small_rooms_.tenant = TenantId("acme");
  }
  // Bytes of the whole file, free pages too.
  std::int64_t print_tables() const {
    sqlite::Connection db({.file = path_ / "search.db", .read_only = true});
    sqlite::Query rows(db, "SELECT name, sum(pgsize), sum(unused) FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 8");
    while (rows.step()) {
      fmt::print("{:<24}{:>8.1f} MB, {:.1f} unused\n", rows.text(0), static_cast<double>(rows.integer(1)) / 1e6,
                 static_cast<double>(rows.integer(2)) / 1e6);
    }
    const std::int64_t page = db.query_int("PRAGMA page_size");
    fmt::print("{:<24}{:>8.1f} MB\n", "free pages",
               static_cast<double>(page * db.query_int("PRAGMA freelist_count")) / 1e6);
    return page * db.query_int("PRAGMA page_count");
  }

  sqlite::TempFolder folder_;
  std::filesystem::path path_;
  SystemClock clock_;
  EventLoops loops_;
  std::int64_t count_ = 0;
  std::unique_ptr<SqliteSearchIndex> index_;
  SearchScope scope_, small_rooms_;
};

BenchedIndex& benched() {
  static BenchedIndex index;
  return index;
}

template <class Ask>
void measure(benchmark::State& state, Ask ask) {
  if (!benched().ready()) return state.SkipWithError("set PARLEY_BENCH_CORPUS to a folder of chat lines");
  std::vector<double> took_ms;
  const std::clock_t cpu_before = std::clock();
  for (auto _ : state) {
    const auto began = std::chrono::steady_clock::now();
    ask();
    took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  if (took_ms.empty()) return;
  state.counters["cpu_ms"] =
      1e3 * static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC / static_cast<double>(took_ms.size());
  std::ranges::sort(took_ms);
  state.counters["p50_ms"] = took_ms[took_ms.size() / 2];
  state.counters["p99_ms"] = took_ms[took_ms.size() * 99 / 100];
}

void search(benchmark::State& state, const char* text, Sort sort) {
  const Query query = *parse_query(text);
  measure(state, [&] { benched().search(query, sort); });
}
void small_rooms(benchmark::State& state, const char* text, Sort sort) {
  const Query query = *parse_query(text);
  measure(state, [&] { benched().search(query, sort, true); });
}
void mend(benchmark::State& state, const char* text) {
  const Query query = *parse_query(text);
  measure(state, [&] { benched().mend(query); });
}
void suggest(benchmark::State& state, const char* prefix) {
  measure(state, [&] { benched().suggest(prefix); });
}

#define SEARCH_BENCH(name, text)                                                                                       \
  BENCHMARK_CAPTURE(search, name / relevance, text, Sort::kRelevance)->Unit(benchmark::kMillisecond)->Iterations(200); \
  BENCHMARK_CAPTURE(search, name / newest, text, Sort::kNewest)->Unit(benchmark::kMillisecond)->Iterations(200)
SEARCH_BENCH(the, "the");
SEARCH_BENCH(ubuntu, "ubuntu");
SEARCH_BENCH(two_common, "the ubuntu");
SEARCH_BENCH(three_or, "install OR the OR kernel");
SEARCH_BENCH(rare, "ndiswrapper broadcom");
SEARCH_BENCH(phrase, "\"how do i\"");
SEARCH_BENCH(identifier, "apt-get");
SEARCH_BENCH(prefix, "inst*");
SEARCH_BENCH(path, "/etc/fstab");
SEARCH_BENCH(nothing, "zzyzx");
SEARCH_BENCH(wide_prefix, "th*");
SEARCH_BENCH(word_and_wide_prefix, "kernel th*");
SEARCH_BENCH(sender, "from:user-7 the");
SEARCH_BENCH(exclusion, "-the");
SEARCH_BENCH(common_words_rare_phrase, "\"to the is a\"");
BENCHMARK_CAPTURE(small_rooms, the / relevance, "the", Sort::kRelevance)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(200);
BENCHMARK_CAPTURE(small_rooms, rare / newest, "ndiswrapper", Sort::kNewest)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(200);
BENCHMARK_CAPTURE(mend, one_word, "kernxl")->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK_CAPTURE(suggest, two_letters, "th")->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK_CAPTURE(suggest, four_letters, "ubun")->Unit(benchmark::kMillisecond)->Iterations(200);

}  // namespace
}  // namespace parley::search
