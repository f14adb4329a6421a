// ChatModel: a chat store and its event log in plain maps, for tests of what reads them: each change is in the store
// and an event at once, as messaging's transaction has it. Events carry the state of now, as messaging's do. A
// StoreScan with small pages, and an EventLog. Used on one loop, and by the test while that is idle.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "events/event_log.h"
#include "search/store_scan.h"

namespace parley::search::testing {

class ChatModel final : public StoreScan, public events::EventLog {
 public:
  explicit ChatModel(const Clock& clock) : clock_(clock) {}

  // What people do.
  void make_conversation(const char* id, const char* name = "room", const char* tenant = "acme");
  MessageId say(const char* conversation, std::string content, const char* tenant = "acme");
  void edit(const char* conversation, const MessageId& id, std::string content, const char* tenant = "acme");
  void remove(const char* conversation, const MessageId& id, const char* tenant = "acme");
  void react(const char* conversation, const MessageId& id, bool any, const char* tenant = "acme");
  void erase_conversation(const char* id, const char* tenant = "acme");
  void name_user(const char* id, const char* name, const char* tenant = "acme");

  // What a test does to the log and the store.
  void append(std::string type, std::string key, std::string data, const char* tenant = "acme",
              events::EventScope scope = events::EventScope::kConversation);
  void prune_up_to(events::LogOffset last) { tail_ = last; }
  std::vector<std::string> contents(const char* conversation, const char* tenant = "acme") const;
  events::LogOffset end() const { return {static_cast<std::int64_t>(events_.size())}; }
  int scan_failures = 0;
  std::optional<TenantId> away;  // scans of it fail
  std::map<std::string, events::LogOffset> saved;

  // StoreScan
  Task<Result<ScanPage<TenantId>>> tenants(After after, std::size_t limit, SteadyTime) override;
  Task<Result<ScanPage<UserWritten>>> users(TenantId tenant, After after, std::size_t limit, SteadyTime) override;
  Task<Result<ScanPage<ScannedConversation>>> conversations(TenantId tenant, After after, std::size_t limit,
                                                            SteadyTime) override;
  Task<Result<ScanPage<ScannedMessage>>> messages(TenantId tenant, ConversationId conversation, After after,
                                                  std::size_t limit, SteadyTime) override;

  // EventLog
  Task<Result<events::EventBatch>> read(events::LogOffset after, std::size_t limit, SteadyTime) override;
  Task<Result<events::LogOffset>> head(SteadyTime) override { co_return end(); }
  Task<Result<events::LogOffset>> tail(SteadyTime) override { co_return tail_; }
  Task<Result<events::LogStanding>> standing(SteadyTime) override { co_return events::LogStanding{}; }
  Task<Result<events::LogOffset>> load_offset(std::string consumer, SteadyTime) override { co_return saved[consumer]; }
  Task<Result<>> save_offset(std::string consumer, events::LogOffset offset, SteadyTime) override {
    saved[consumer] = offset;
    co_return Result<>{};
  }
  Task<Result<>> forget_consumer(std::string, SteadyTime) override { co_return Result<>{}; }
  Task<Result<std::int64_t>> prune(WallTime, std::size_t, SteadyTime) override { co_return 0; }
  events::CommitSignal::Subscription subscribe(std::function<void()> listener) override {
    return signal_.subscribe(std::move(listener));
  }
  std::string position_of(const TenantId&, events::LogOffset offset) const override {
    return std::to_string(offset.value);
  }
  std::optional<events::LogOffset> offset_of(const TenantId&, std::string_view) const override { return std::nullopt; }

 private:
  struct Stored {
    MessageWritten message;
    bool deleted = false;
  };
  struct Room {
    std::string name;
    bool deleted = false;
    std::vector<Stored> messages;  // seq - 1
  };
  struct Tenant {
    std::map<std::string, Room> rooms;
    std::map<std::string, std::string> users;
    std::map<std::string, std::int64_t> numbers;
  };
  Stored& find(const char* conversation, const MessageId& id, const char* tenant);
  std::string message_data(const std::string& conversation, const Stored& stored) const;
  Result<> scan_gate(const std::optional<TenantId>& tenant = {});

  const Clock& clock_;
  std::map<std::string, Tenant> tenants_;
  std::vector<events::Event> events_;
  events::LogOffset tail_;
  events::CommitSignal signal_;
  int messages_made_ = 0;
};

}  // namespace parley::search::testing
