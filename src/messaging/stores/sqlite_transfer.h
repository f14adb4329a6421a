// SqliteTransfer: a messaging store in a folder, as what a move reads from or fills (messaging/transfer). For a command
// on its one thread; made and owned by app/.
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "drivers/sqlite/moved_database.h"
#include "messaging/transfer/store_transfer.h"

namespace parley::messaging {

class SqliteTransfer final : public transfer::StoreWriter {
 public:
  // fail: as sqlite::MovedDatabase says.
  static Result<std::unique_ptr<SqliteTransfer>> open_source(const std::filesystem::path& folder,
                                                             sqlite::MoveLock lock);
  static Result<std::unique_ptr<SqliteTransfer>> open_target(const std::filesystem::path& folder);

  Result<PositionSecret> position_secret() override;
  Result<std::optional<transfer::LastEvent>> last_event() override;
  Result<std::vector<transfer::ConversationRecord>> conversations(
      const transfer::Range<transfer::ConversationName>& range) override;
  Result<std::vector<transfer::MemberRecord>> members(const transfer::ConversationName& conversation) override;
  Result<std::vector<transfer::MessageRecord>> messages(const transfer::ConversationName& conversation,
                                                        const transfer::Range<Seq>& range) override;
  Result<std::vector<transfer::UserRecord>> users(const transfer::Range<transfer::UserName>& range) override;
  Result<std::vector<transfer::DeletedFileRecord>> deleted_files(
      const transfer::Range<transfer::FileName>& range) override;
  Result<std::vector<transfer::RequestRecord>> requests(const transfer::Range<Digest>& range) override;

  Result<std::optional<MoveMark>> mark() override;
  Result<bool> is_empty() override;
  Result<> begin(const MoveMark& mark, const PositionSecret& secret) override;
  Result<> put_conversation(const transfer::ConversationRecord& conversation, bool whole) override;
  Result<> put_members(const transfer::ConversationName& conversation,
                       std::span<const transfer::MemberRecord> members) override;
  Result<> remove_members(const transfer::ConversationName& conversation, std::span<const UserId> users) override;
  Result<> put_messages(const transfer::ConversationName& conversation,
                        std::span<const transfer::MessageRecord> messages, bool replace) override;
  Result<> put_users(std::span<const transfer::UserRecord> users) override;
  Result<> put_deleted_files(std::span<const transfer::DeletedFileRecord> files) override;
  Result<> remove_deleted_files(std::span<const transfer::DeletedFileRecord> files) override;
  Result<> put_requests(std::span<const transfer::RequestRecord> requests) override;
  Result<> finish(const std::optional<transfer::LastEvent>& last) override;

 private:
  explicit SqliteTransfer(std::unique_ptr<sqlite::MovedDatabase> store) : store_(std::move(store)) {}
  void load_external_ids(sqlite::Connection& db, std::int64_t row);

  const std::unique_ptr<sqlite::MovedDatabase> store_;
  // Of the conversation that was read last: no index leads to them by message.
  std::int64_t external_ids_of_ = 0;
  std::multimap<std::int64_t, std::string> external_ids_;
};

}  // namespace parley::messaging
