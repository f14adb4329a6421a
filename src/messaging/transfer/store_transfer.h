// StoreTransfer: the port through which `parley migrate` reads everything out of one messaging store and writes it into
// another, whatever kind each is (ADR 31). Lists come in the order of their keys' bytes and in ranges (after, through],
// so that the same range of two stores can be laid side by side. Every put is idempotent: what holds the key is
// replaced, so a move that was killed is just begun again.
//
// For a command on its one thread: calls block. A source may be in use by servers meanwhile; each call then sees one
// moment. fail: unavailable when the engine fails, storage_full; not_our_file and its like from the adapters' open().
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/move_mark.h"
#include "base/result.h"
#include "base/side_by_side.h"
#include "messaging/transfer/records.h"

namespace parley::messaging::transfer {

template <class Key>
using Range = KeyRange<Key>;

struct UserName {
  TenantId tenant;
  UserId id;
  auto operator<=>(const UserName&) const = default;
};
struct FileName {
  TenantId tenant;
  FileId id;
  auto operator<=>(const FileName&) const = default;
};

inline const ConversationName& key_of(const ConversationRecord& record) {
  return record.name;
}
inline const UserId& key_of(const MemberRecord& record) {
  return record.user;
}
inline Seq key_of(const MessageRecord& record) {
  return record.message.seq;
}
inline UserName key_of(const UserRecord& record) {
  return {record.tenant, record.user.id};
}
inline FileName key_of(const DeletedFileRecord& record) {
  return {record.tenant, record.file};
}
inline const Digest& key_of(const RequestRecord& record) {
  return record.key;
}

class StoreReader {
 public:
  virtual ~StoreReader() = default;

  virtual Result<PositionSecret> position_secret() = 0;
  // None: nothing was ever written.
  virtual Result<std::optional<LastEvent>> last_event() = 0;

  virtual Result<std::vector<ConversationRecord>> conversations(const Range<ConversationName>& range) = 0;
  // All of them, by user. None for a conversation that is not there.
  virtual Result<std::vector<MemberRecord>> members(const ConversationName& conversation) = 0;
  virtual Result<std::vector<MessageRecord>> messages(const ConversationName& conversation,
                                                      const Range<Seq>& range) = 0;
  virtual Result<std::vector<UserRecord>> users(const Range<UserName>& range) = 0;
  virtual Result<std::vector<DeletedFileRecord>> deleted_files(const Range<FileName>& range) = 0;
  virtual Result<std::vector<RequestRecord>> requests(const Range<Digest>& range) = 0;
};

class StoreWriter : public StoreReader {
 public:
  virtual Result<std::optional<MoveMark>> mark() = 0;
  // Whether nothing was ever stored here.
  virtual Result<bool> is_empty() = 0;
  // Claims an empty store for a move, and takes over the source's secret.
  virtual Result<> begin(const MoveMark& mark, const PositionSecret& secret) = 0;

  // A conversation is put before what it holds. One that is not `whole` has event_number 0 here, which no store gives:
  // what it holds is still on its way.
  virtual Result<> put_conversation(const ConversationRecord& conversation, bool whole) = 0;
  virtual Result<> put_members(const ConversationName& conversation, std::span<const MemberRecord> members) = 0;
  virtual Result<> remove_members(const ConversationName& conversation, std::span<const UserId> users) = 0;
  // What they answer is there or among them, before them. `replace`: some of them may be there already.
  virtual Result<> put_messages(const ConversationName& conversation, std::span<const MessageRecord> messages,
                                bool replace) = 0;
  virtual Result<> put_users(std::span<const UserRecord> users) = 0;
  virtual Result<> put_deleted_files(std::span<const DeletedFileRecord> files) = 0;
  virtual Result<> remove_deleted_files(std::span<const DeletedFileRecord> files) = 0;
  // What they made is there.
  virtual Result<> put_requests(std::span<const RequestRecord> requests) = 0;

  // The log goes on behind `last`, and all that was put is on disk. Then the mark says kDone.
  virtual Result<> finish(const std::optional<LastEvent>& last) = 0;
};

}  // namespace parley::messaging::transfer
