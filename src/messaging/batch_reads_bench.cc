// What search asks of the store at each query: the scope of a member of 200 conversations among 1,000, and a look-up of
// 100 of their 50,000 messages; and a scan of 1,000 messages. The whole way: from a loop to a reader's thread and back;
// CPU is that of both.
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "base/run_on_loop.h"
#include "messaging/stores/sqlite_messaging_store.h"

namespace parley::messaging {
namespace {

constexpr std::size_t kConversations = 1'000;
constexpr std::size_t kOfMember = 200;
constexpr std::size_t kMessagesInEach = 250;

Caller caller_of(const char* user, TenantRoles roles = {}) {
  return {.tenant = TenantId("acme"), .user = UserId(user), .roles = roles, .name = {}};
}
ConversationId conversation(std::size_t i) {
  return ConversationId("conversation-" + std::to_string(i));
}

// Filled once, for all benchmarks.
class FilledStore {
 public:
  FilledStore() {
    loops_.start();
    const char* base = std::getenv("PARLEY_BENCH_DIR");
    std::string pattern = std::string(base ? base : "/tmp") + "/parley-batch-reads-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    store_ = SqliteMessagingStore::open({.folder = folder_ / "messaging"}, clock_, random_).value();
    const Caller importer = caller_of("importer", {.admin = false, .service = true});
    for (std::size_t i = 0; i < kConversations; ++i) {
      CreateConversation command;
      command.id = conversation(i);
      command.imported = true;
      if (i < kOfMember) command.members = {UserId("member")};
      CHECK(wait(store_->create_conversation(importer, std::move(command), SteadyTime::max())).has_value());
      if (i < kOfMember) fill(importer, i);
    }
  }
  ~FilledStore() {
    store_.reset();
    loops_.stop();
    std::filesystem::remove_all(folder_);
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  SqliteMessagingStore& store() { return *store_; }
  const std::vector<MessageId>& messages() const { return messages_; }

 private:
  void fill(const Caller& importer, std::size_t i) {
    ImportMessages command;
    command.conversation_id = conversation(i);
    for (std::size_t n = 0; n < kMessagesInEach; ++n) {
      ImportedMessage line;
      line.external_id = std::to_string(n);
      line.author = UserId("irc:author");
      line.content = std::string(80, 'x');
      line.created_at = WallTime(std::chrono::milliseconds(1'000'000 + i));
      command.messages.push_back(std::move(line));
    }
    CHECK(wait(store_->import_messages(importer, std::move(command), SteadyTime::max())).has_value());
    const auto page =
        wait(store_->scan_messages(TenantId("acme"), conversation(i), 0, kMessagesInEach, SteadyTime::max()));
    for (const Message& message : page->items) messages_.push_back(message.id);
  }

  SystemClock clock_;
  SecureRandom random_;
  EventLoops loops_{1};
  std::filesystem::path folder_;
  std::unique_ptr<SqliteMessagingStore> store_;
  std::vector<MessageId> messages_;
};

FilledStore& filled_store() {
  static FilledStore store;
  return store;
}

void Ping(benchmark::State& state) {
  FilledStore& filled = filled_store();
  for (auto _ : state) CHECK(filled.wait(filled.store().ping(SteadyTime::max())).has_value());
}
BENCHMARK(Ping)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);

void ScopeOf200(benchmark::State& state) {
  FilledStore& filled = filled_store();
  for (auto _ : state) {
    const auto scope = filled.wait(filled.store().get_scope(caller_of("member"), 5'000, SteadyTime::max()));
    CHECK(scope->items.size() == kOfMember);
  }
}
BENCHMARK(ScopeOf200)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);

void LookUp100Messages(benchmark::State& state) {
  FilledStore& filled = filled_store();
  SeededRandom random(7);
  for (auto _ : state) {
    state.PauseTiming();
    LookUp query;
    for (int i = 0; i < 100; ++i) {
      query.messages.push_back(filled.messages()[static_cast<std::size_t>(random.below(filled.messages().size()))]);
    }
    state.ResumeTiming();
    const auto found = filled.wait(filled.store().look_up(caller_of("member"), std::move(query), SteadyTime::max()));
    CHECK(found->messages.size() == 100);
  }
}
BENCHMARK(LookUp100Messages)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);

void Scan1000Messages(benchmark::State& state) {
  FilledStore& filled = filled_store();
  for (auto _ : state) {
    for (Seq after = 0; after < 200; after += 100) {
      for (std::size_t i = 0; i < 5; ++i) {
        const auto page =
            filled.wait(filled.store().scan_messages(TenantId("acme"), conversation(i), after, 100, SteadyTime::max()));
        CHECK(page->items.size() == 100);
      }
    }
  }
}
BENCHMARK(Scan1000Messages)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace parley::messaging
