// MongoTransfer: a messaging store in MongoDB, as what a move reads from or fills (messaging/transfer). Nothing tells
// it whether servers write to the database meanwhile: who moves compares the log's end before and after. What is put is
// acknowledged by the primary; finish() waits for a majority, which then has all that was before. For a command on its
// one thread; made and owned by app/.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "drivers/mongo/moved_database.h"
#include "messaging/stores/mongo_documents.h"
#include "messaging/transfer/store_transfer.h"

namespace parley::messaging {

class MongoTransfer final : public transfer::StoreWriter {
 public:
  // `clock` must outlive it. fail: not_our_database where there is no store, and as mongo::ClientPool says. The
  // target's collections and indexes are made.
  static Result<std::unique_ptr<MongoTransfer>> open_source(mongo::ConnectionOptions connection, const Clock& clock);
  static Result<std::unique_ptr<MongoTransfer>> open_target(mongo::ConnectionOptions connection, const Clock& clock,
                                                            Random& random);

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
  explicit MongoTransfer(std::unique_ptr<mongo::MovedDatabase> store) : store_(std::move(store)) {}
  void load_external_ids(mongo::Database& db, const mongodb::ConversationKey& conversation);

  const std::unique_ptr<mongo::MovedDatabase> store_;
  // Of the conversation that was read last: no index leads to them by message.
  std::optional<mongodb::ConversationKey> external_ids_of_;
  std::multimap<UuidBytes, std::string> external_ids_;
};

}  // namespace parley::messaging
