// What the sweeper does over all tenants, a piece at a time; every question has an index to answer it.
#include <map>

#include "media/stores/mongo_rows.h"
#include "media/stores/mongo_writes.h"

namespace parley::media::mongodb {

namespace {

using mongo::Document;
using mongo::make_document;

Document before(WallTime time) {
  return make_document("$lt", time);
}

// Of one account after the other, each loaded once and saved before the next, which may be of the same tenant.
std::vector<FileId> forget(WriteContext& write, const std::vector<Document>& rows) {
  std::vector<FileId> ids;
  std::map<std::pair<TenantId, UserId>, std::vector<Upload>> uploads_of;
  for (const Document& row : rows) {
    Upload upload = read_upload(row.view());
    ids.push_back(upload.id);
    uploads_of[{upload.tenant, upload.owner}].push_back(std::move(upload));
  }
  for (const auto& [whose, uploads] : uploads_of) {
    Account account(write.db, whose.first, whose.second);
    for (const Upload& upload : uploads) {
      erase_upload(write.db, upload.id);
      account.end_upload();
      account.give_back(upload.reserved);
    }
    account.save();
  }
  return ids;
}

std::vector<Document> find_uploads(WriteContext& write, const Document& filter, const char* sorted_by,
                                   std::size_t limit) {
  return write.db.find(kUploads, filter,
                       {.sort = make_document(sorted_by, 1), .fields = {}, .limit = static_cast<std::int64_t>(limit)});
}

}  // namespace

std::size_t forget_complete_uploads(WriteContext& write, WallTime expired_before, std::size_t limit) {
  const auto rows =
      find_uploads(write, make_document("complete", true, "expires_at", before(expired_before)), "expires_at", limit);
  for (const Document& row : rows) erase_upload(write.db, read_upload(row.view()).id);
  return rows.size();
}

std::vector<FileId> forget_expired_uploads(WriteContext& write, WallTime expired_before, std::size_t limit) {
  return forget(write, find_uploads(write, make_document("complete", false, "expires_at", before(expired_before)),
                                    "expires_at", limit));
}

std::vector<FileId> forget_whole_uploads(WriteContext& write, WallTime began_before, std::size_t limit) {
  return forget(write, find_uploads(write,
                                    make_document("kind", static_cast<int>(UploadKind::kWhole), "complete", false,
                                                  "created_at", before(began_before)),
                                    "created_at", limit));
}

void forget_purged(WriteContext& write, const std::vector<FileId>& files) {
  for (const FileId& id : files) {
    Document filter = by_id(id);
    filter.add("deleted_at", make_document("$exists", true));
    write.db.delete_one(kFiles, filter);
  }
}

}  // namespace parley::media::mongodb
