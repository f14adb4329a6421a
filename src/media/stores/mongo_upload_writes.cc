#include <algorithm>

#include "media/stores/mongo_rows.h"
#include "media/stores/mongo_writes.h"

namespace parley::media::mongodb {

namespace {

// An upload under way; a complete one is a file and no longer to be written to.
Result<Upload> find_open_upload(mongo::Database& db, const TenantId& tenant, const FileId& id) {
  auto upload = find_upload(db, tenant, id);
  if (!upload || upload->complete) return not_found("upload");
  return std::move(*upload);
}

bool id_is_taken(mongo::Database& db, const FileId& id) {
  return db.find_one(kUploads, by_id(id)).has_value() || db.find_one(kFiles, by_id(id)).has_value();
}

}  // namespace

Result<Upload> begin_upload(WriteContext& write, const Upload& upload) {
  CHECK(parse_uuid(upload.id.value) && !upload.complete);
  if (id_is_taken(write.db, upload.id)) {
    return fail(ErrorKind::kConflict, "upload_exists", "There is an upload of this id already.");
  }
  Account account(write.db, upload.tenant, upload.owner);
  const std::uint64_t most = write.limits.uploads_per_user;
  if (most != 0 && static_cast<std::uint64_t>(account.uploads()) >= most) {
    return fail(ErrorKind::kConflict, "too_many_uploads",
                "You have as many uploads under way as may be; finish or abort one.");
  }
  if (auto room = account.expect_room(write.limits, upload.reserved); !room) return fail(room.error());
  insert_upload(write.db, upload);
  account.begin_upload();
  account.reserve(upload.reserved);
  account.save();
  return upload;
}

Result<std::uint64_t> reserve_more(WriteContext& write, const ReserveMore& command) {
  auto upload = find_open_upload(write.db, command.tenant, command.upload);
  if (!upload) return fail(upload.error());
  Account account(write.db, upload->tenant, upload->owner);
  if (auto room = account.expect_room(write.limits, command.at_least); !room) return fail(room.error());
  const std::uint64_t more = std::max(command.at_least, std::min(command.at_most, account.room(write.limits)));
  upload->reserved += more;
  save_upload(write.db, *upload);
  account.reserve(more);
  account.save();
  return upload->reserved;
}

Result<Upload> set_upload_size(WriteContext& write, const TenantId& tenant, const FileId& id, std::uint64_t size) {
  auto upload = find_open_upload(write.db, tenant, id);
  if (!upload) return fail(upload.error());
  if (upload->size) {
    if (*upload->size == size) return upload;
    return fail(ErrorKind::kConflict, "upload_size_known", "The upload's size has been said, and was another.");
  }
  Account account(write.db, tenant, upload->owner);
  const std::uint64_t missing = size > upload->reserved ? size - upload->reserved : 0;
  if (auto room = account.expect_room(write.limits, missing); !room) return fail(room.error());
  account.give_back(upload->reserved);
  account.reserve(size);
  account.save();
  upload->size = size;
  upload->reserved = size;
  save_upload(write.db, *upload);
  return upload;
}

Result<Upload> add_part(WriteContext& write, const PartArrived& part) {
  auto upload = find_open_upload(write.db, part.tenant, part.upload);
  if (!upload) return fail(upload.error());
  const Upload before = *upload;
  add_range(upload->present, part.range);
  upload->expires_at = std::max(upload->expires_at, part.expires_at);
  if (*upload != before) save_upload(write.db, *upload);
  return upload;
}

namespace {

std::vector<Upload> find_partials(mongo::Database& db, const Upload& whole, const std::vector<FileId>& ids) {
  std::vector<Upload> partials;
  for (const FileId& id : ids) {
    const bool named_before = std::ranges::find(partials, id, &Upload::id) != partials.end();
    auto partial = named_before ? std::nullopt : find_upload(db, whole.tenant, id);
    if (partial && partial->kind == UploadKind::kTusPartial && partial->owner == whole.owner) {
      partials.push_back(std::move(*partial));
    }
  }
  return partials;
}

File file_of(const Upload& upload, const FinishUpload& command, WallTime now) {
  File file;
  file.id = upload.id;
  file.tenant = upload.tenant;
  file.owner = upload.owner;
  file.filename = upload.filename;
  file.content_type = command.content_type;
  file.size = command.size;
  file.sha256 = command.sha256;
  file.created_at = now;
  return file;
}

// The upload stays, for who asks again, until it expires.
void mark_complete(mongo::Database& db, Upload upload, std::uint64_t size) {
  upload.complete = true;
  upload.reserved = 0;
  upload.size = size;
  upload.present.clear();
  add_range(upload.present, {0, size});
  save_upload(db, upload);
}

}  // namespace

Result<File> finish_upload(WriteContext& write, const FinishUpload& command, const std::vector<FileId>& partial_ids) {
  if (auto file = find_file(write.db, command.tenant, command.upload)) return std::move(*file);
  const auto upload = find_open_upload(write.db, command.tenant, command.upload);
  if (!upload) return fail(upload.error());
  const std::vector<Upload> partials = find_partials(write.db, *upload, partial_ids);
  std::uint64_t reserved = upload->reserved;
  for (const Upload& partial : partials) reserved += partial.reserved;

  Account account(write.db, upload->tenant, upload->owner);
  const std::uint64_t missing = command.size > reserved ? command.size - reserved : 0;
  if (auto room = account.expect_room(write.limits, missing); !room) return fail(room.error());

  const File file = file_of(*upload, command, write.now);
  insert_file(write.db, file);
  mark_complete(write.db, *upload, file.size);
  account.end_upload();
  for (const Upload& partial : partials) {
    erase_upload(write.db, partial.id);
    account.end_upload();
  }
  account.give_back(reserved);
  account.add_file(file.size);
  append_uploaded(write, account, file);
  account.save();
  return file;
}

Result<bool> abort_upload(WriteContext& write, const TenantId& tenant, const FileId& id) {
  const auto upload = find_upload(write.db, tenant, id);
  if (!upload) return false;
  if (upload->complete) {
    return fail(ErrorKind::kConflict, "upload_complete", "The upload is a file already; delete that.");
  }
  erase_upload(write.db, id);
  Account account(write.db, tenant, upload->owner);
  account.end_upload();
  account.give_back(upload->reserved);
  account.save();
  return true;
}

}  // namespace parley::media::mongodb
