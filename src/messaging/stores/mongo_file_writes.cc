// What messages attach, as jobs of the MongoDB store: kept with the message, taken out when the file is deleted.
//
// A send reads that no file is deleted, a deletion reads which messages attach it: neither changes what the other has
// read, so both could commit, and a message would attach a deleted file. Hence file_locks: each writes the one of its
// files, and of two at once only one commits.
#include <functional>
#include <set>

#include "base/sha256.h"
#include "messaging/event_data.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

constexpr std::chrono::hours kDeletedFilesKept{24};  // longer than any request lasts
constexpr int kFileLocks = 4'096;

int lock_of(const TenantId& tenant, const FileId& file) {
  const Sha256 digest = sha256(tenant_key(tenant, file.value));
  return (digest[0] << 8 | digest[1]) % kFileLocks;
}

}  // namespace

void lock_files(WriteContext& write, const std::vector<FileId>& files) {
  std::set<int> locks;
  for (const FileId& file : files) locks.insert(lock_of(write.caller.tenant, file));
  for (const int lock : locks) {
    write.db.update_one(collection::kFileLocks, make_document("_id", lock),
                        make_document("$inc", make_document("used", 1)), true);
  }
}

Result<> check_files(WriteContext& write, const SendMessage& command) {
  if (command.attachments.empty()) return {};
  std::set<std::string, std::less<>> deleted;
  const auto keys = tenant_keys(write.caller.tenant, command.attachments);
  for (const Document& row : write.db.find(collection::kDeletedFiles, make_document("_id", among(keys)))) {
    deleted.emplace(id_of_tenant_key(row.view().text("_id")));
  }
  if (deleted.empty()) return {};
  std::vector<std::size_t> gone;
  for (std::size_t place = 0; place < command.attachments.size(); ++place) {
    if (deleted.contains(command.attachments[place].value)) gone.push_back(place);
  }
  return attachments_are_gone(gone);
}

Result<Committed<std::int64_t>> forget_file(WriteContext& write, const ForgetFile& command) {
  const std::string key = tenant_key(write.caller.tenant, command.file.value);
  write.db.update_one(collection::kDeletedFiles, make_document("_id", key),
                      make_document("$set", make_document("told_at", write.now)), true);
  lock_files(write, {command.file});
  const auto knowing = write.db.find(
      collection::kMessages,
      make_document("files.key", key, "files",
                    make_document("$elemMatch", make_document("key", key, "filename", make_document("$exists", true)))),
      {.sort = make_document("conversation", 1, "seq", 1),
       .fields = make_document("conversation", 1, "version", 1, "files", 1),
       .limit = command.limit});
  std::optional<ConversationRow> conversation;
  std::optional<ConversationKey> met;
  for (const Document& message : knowing) {
    const mongo::View view = message.view();
    mongo::Array files;
    for (const mongo::View file : view.documents("files")) {
      file.text("key") == key ? files.add(make_document("key", key)) : files.add(Document().append_all(file));
    }
    write.db.update_one(collection::kMessages, make_document("_id", Uuid{view.bytes("_id")}),
                        make_document("$set", make_document("files", files)));
    const ConversationKey in = uuid_of(view.bytes("conversation"));
    if (met != in) {
      if (conversation) write.save(*conversation);
      met = in;
      conversation = find_conversation(write.db, write.caller, in);
    }
    // Else it is deleted, and being erased.
    if (conversation) {
      write.event(*conversation, kMessageFilesChanged, uuid_of(view.bytes("_id")), view.integer("version"));
    }
  }
  if (conversation) write.save(*conversation);
  return write.changed(static_cast<std::int64_t>(knowing.size()));
}

void drop_old_deleted_files(mongo::Database& db, WallTime now) {
  db.delete_many(collection::kDeletedFiles, make_document("told_at", make_document("$lt", now - kDeletedFilesKept)));
}

}  // namespace parley::messaging::mongodb
