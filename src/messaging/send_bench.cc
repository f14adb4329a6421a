// Durable sends a second through the SQLite store, at a number of concurrent senders, beside the raw group commit of
// the same rows: one connection, the store's own statements without any of its reads and checks, `batch` rows a
// transaction.
//
//   send_bench --benchmark_filter=Send/64
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <latch>

#include "base/run_on_loop.h"
#include "messaging/stores/sqlite_messaging_store.h"
#include "messaging/stores/sqlite_schema.h"

namespace parley::messaging {
namespace {

constexpr std::int64_t kMessages = 40'000;
constexpr int kConversations = 100;

class BenchFolder {
 public:
  BenchFolder() {
    const char* base = std::getenv("PARLEY_BENCH_DIR");
    std::string pattern = std::string(base ? base : "/tmp") + "/parley-send-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~BenchFolder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Caller sender(std::size_t i) {
  return {.tenant = TenantId("acme"), .user = UserId("user-" + std::to_string(i % 64)), .roles = {}, .name = {}};
}
ConversationId conversation(std::size_t i) {
  return ConversationId("conversation-" + std::to_string(i % kConversations));
}

const std::string& content() {
  static const std::string text(120, 'x');
  return text;
}

void make_conversations(SqliteMessagingStore& store, EventLoop& loop) {
  for (std::size_t i = 0; i < kConversations; ++i) {
    CreateConversation command;
    command.id = conversation(i);
    for (std::size_t member = 1; member < 64; ++member) command.members.push_back(sender(member).user);
    CHECK(run_on_loop(loop, store.create_conversation(sender(0), std::move(command), SteadyTime::max())).has_value());
  }
}

// Sends until the shared count is used up; keys are random, as clients' are.
Task<> keep_sending(SqliteMessagingStore& store, std::size_t number, std::atomic<std::int64_t>& left,
                    std::vector<double>& latencies_ms, std::latch& done) {
  SeededRandom random(number);
  while (left.fetch_sub(1) > 0) {
    SendMessage command;
    command.conversation_id = conversation(static_cast<std::size_t>(random.below(kConversations)));
    command.content = content();
    command.idempotency_key = make_uuid_v7(WallTime(std::chrono::milliseconds(random.next_u64() >> 20)), random);
    const auto began = std::chrono::steady_clock::now();
    auto sent = co_await store.send_message(sender(number), std::move(command), SteadyTime::max());
    CHECK(sent.has_value() && sent->changed);
    latencies_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
  }
  done.count_down();
}

void Send(benchmark::State& state) {
  const auto senders = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    BenchFolder folder;
    SystemClock clock;
    SecureRandom random;
    EventLoops loops(2);
    loops.start();
    auto opened = SqliteMessagingStore::open({.folder = folder.path() / "messaging"}, clock, random);
    CHECK(opened.has_value());
    auto store = std::move(*opened);
    make_conversations(*store, loops.at(0));
    std::atomic<std::int64_t> left{kMessages};
    std::latch done(static_cast<std::ptrdiff_t>(senders));
    std::vector<std::vector<double>> latencies(senders);
    state.ResumeTiming();
    for (std::size_t i = 0; i < senders; ++i) {
      asio::co_spawn(loops.at(i % loops.size()).io(), keep_sending(*store, i, left, latencies[i], done),
                     asio::detached);
    }
    done.wait();
    state.PauseTiming();
    std::vector<double> all;
    for (auto& some : latencies) all.insert(all.end(), some.begin(), some.end());
    std::ranges::sort(all);
    state.counters["p50_ms"] = all[all.size() / 2];
    state.counters["p99_ms"] = all[all.size() * 99 / 100];
    store.reset();
    loops.stop();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK(Send)->Arg(1)->Arg(16)->Arg(64)->Arg(256)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

// The same rows into the same tables and indexes, nothing else.
void insert_rows(sqlite::Connection& db, IdSource& ids, SeededRandom& random, Seq seq, std::int64_t row) {
  const WallTime now = SystemClock().wall_now();
  const UuidBytes id = ids.next(now);
  const std::string text_id = format_uuid(id);
  const std::string user = sender(static_cast<std::size_t>(seq)).user.value;
  Digest key;
  random.fill(key);
  sqlite::Query(db,
                "INSERT INTO messages(key, id, sender, content, type, attachments, reply_to, thread_root, mentions, "
                "metadata, client_message_id, created_at) VALUES(?1, ?2, ?3, ?4, NULL, NULL, NULL, NULL, NULL, NULL, "
                "NULL, ?5)",
                message_key(row, seq), id, user, content(), to_ms(now))
      .run();
  remember_request(db, key, key, message_key(row, seq));
  sqlite::Query(db, "UPDATE members SET accounted = accounted + 1 WHERE conversation = ?1 AND user = ?2", row, user)
      .run();
  events::append(db, {.id = ids.next(now),
                      .type = "message.created",
                      .tenant = "acme",
                      .key = conversation(static_cast<std::size_t>(row)).value,
                      .number = seq,
                      .time = now,
                      .subject = text_id,
                      .data = {},
                      .reference = {message_key(row, seq), 1}});
  sqlite::Query(db,
                "UPDATE conversation_state SET last_seq = ?2, live = ?2, event_number = ?2, member_count = 64, "
                "owner_count = 1, last_activity_at = ?3 WHERE conversation = ?1",
                row, seq, to_ms(now))
      .run();
}

void RawGroupCommit(benchmark::State& state) {
  const std::int64_t batch = state.range(0);
  for (auto _ : state) {
    state.PauseTiming();
    BenchFolder folder;
    SecureRandom random;
    SeededRandom keys(7);
    IdSource ids(random);
    {
      SystemClock clock;
      EventLoops loops(1);
      loops.start();
      auto store = SqliteMessagingStore::open({.folder = folder.path() / "messaging"}, clock, random);
      make_conversations(**store, loops.at(0));
      store->reset();
      loops.stop();
    }
    sqlite::Connection db({.file = folder.path() / "messaging" / kMessagingDatabase, .cache_kib = 16 * 1024});
    std::vector<Seq> last(kConversations + 1, 0);
    state.ResumeTiming();
    for (std::int64_t sent = 0; sent < kMessages;) {
      db.exec("BEGIN IMMEDIATE");
      for (std::int64_t i = 0; i < batch && sent < kMessages; ++i, ++sent) {
        const auto row = static_cast<std::int64_t>(keys.below(kConversations)) + 1;
        insert_rows(db, ids, keys, ++last[static_cast<std::size_t>(row)], row);
      }
      db.exec("COMMIT");
      if (sent % (batch * 32) == 0)
        sqlite3_wal_checkpoint_v2(db.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    }
  }
  state.SetItemsProcessed(state.iterations() * kMessages);
}
BENCHMARK(RawGroupCommit)->Arg(1)->Arg(64)->Arg(128)->Iterations(1)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace parley::messaging
