#include "media/upload_rules.h"

#include <algorithm>

#include "base/check.h"
#include "base/ids.h"

namespace parley::media {

namespace {

// An upload under way; a complete one is a file and no longer to be written to.
Result<Upload> find_open_upload(UploadRows& rows, const TenantId& tenant, const FileId& id) {
  auto upload = rows.find_upload(tenant, id);
  if (!upload || upload->complete) return not_found("upload");
  return std::move(*upload);
}

}  // namespace

Result<Upload> begin_upload(UploadRows& rows, const QuotaLimits& limits, const Upload& upload) {
  CHECK(parse_uuid(upload.id.value) && !upload.complete);
  if (rows.is_taken(upload.id)) {
    return fail(ErrorKind::kConflict, "upload_exists", "There is an upload of this id already.");
  }
  const auto account = rows.load_account(upload.tenant, upload.owner);
  const std::uint64_t most = limits.uploads_per_user;
  if (most != 0 && static_cast<std::uint64_t>(account->uploads()) >= most) {
    return fail(ErrorKind::kConflict, "too_many_uploads",
                "You have as many uploads under way as may be; finish or abort one.");
  }
  if (auto room = account->expect_room(limits, upload.reserved); !room) return fail(room.error());
  rows.insert_upload(upload);
  account->begin_upload();
  account->reserve(upload.reserved);
  account->save();
  return upload;
}

Result<std::uint64_t> reserve_more(UploadRows& rows, const QuotaLimits& limits, const ReserveMore& command) {
  auto upload = find_open_upload(rows, command.tenant, command.upload);
  if (!upload) return fail(upload.error());
  const auto account = rows.load_account(upload->tenant, upload->owner);
  if (auto room = account->expect_room(limits, command.at_least); !room) return fail(room.error());
  const std::uint64_t more = std::max(command.at_least, std::min(command.at_most, account->room(limits)));
  upload->reserved += more;
  rows.save_reserved(*upload);
  account->reserve(more);
  account->save();
  return upload->reserved;
}

Result<Upload> set_upload_size(UploadRows& rows, const QuotaLimits& limits, const TenantId& tenant, const FileId& id,
                               std::uint64_t size) {
  auto upload = find_open_upload(rows, tenant, id);
  if (!upload) return fail(upload.error());
  if (upload->size) {
    if (*upload->size == size) return upload;
    return fail(ErrorKind::kConflict, "upload_size_known", "The upload's size has been said, and was another.");
  }
  const auto account = rows.load_account(tenant, upload->owner);
  const std::uint64_t missing = size > upload->reserved ? size - upload->reserved : 0;
  if (auto room = account->expect_room(limits, missing); !room) return fail(room.error());
  account->give_back(upload->reserved);
  account->reserve(size);
  account->save();
  upload->size = size;
  upload->reserved = size;
  rows.save_reserved(*upload);
  return upload;
}

Result<Upload> add_part(UploadRows& rows, const PartArrived& part) {
  auto upload = find_open_upload(rows, part.tenant, part.upload);
  if (!upload) return fail(upload.error());
  rows.add_part(*upload, part);
  return upload;
}

namespace {

std::vector<Upload> find_partials(UploadRows& rows, const Upload& whole, const std::vector<FileId>& ids) {
  std::vector<Upload> partials;
  for (const FileId& id : ids) {
    const bool named_before = std::ranges::find(partials, id, &Upload::id) != partials.end();
    auto partial = named_before ? std::nullopt : rows.find_upload(whole.tenant, id);
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

}  // namespace

Result<File> finish_upload(UploadRows& rows, const QuotaLimits& limits, WallTime now, const FinishUpload& command,
                           const std::vector<FileId>& partial_ids) {
  if (auto file = rows.find_file(command.tenant, command.upload)) return std::move(*file);
  const auto upload = find_open_upload(rows, command.tenant, command.upload);
  if (!upload) return fail(upload.error());
  const std::vector<Upload> partials = find_partials(rows, *upload, partial_ids);
  std::uint64_t reserved = upload->reserved;
  for (const Upload& partial : partials) reserved += partial.reserved;

  const auto account = rows.load_account(upload->tenant, upload->owner);
  const std::uint64_t missing = command.size > reserved ? command.size - reserved : 0;
  if (auto room = account->expect_room(limits, missing); !room) return fail(room.error());

  const File file = file_of(*upload, command, now);
  rows.insert_file(file);
  rows.mark_complete(*upload, file.size);
  account->end_upload();
  for (const Upload& partial : partials) {
    rows.erase_upload(partial.id);
    account->end_upload();
  }
  account->give_back(reserved);
  account->add_file(file.size);
  rows.append_uploaded(*account, file);
  account->save();
  return file;
}

Result<bool> abort_upload(UploadRows& rows, const TenantId& tenant, const FileId& id) {
  const auto upload = rows.find_upload(tenant, id);
  if (!upload) return false;
  if (upload->complete) {
    return fail(ErrorKind::kConflict, "upload_complete", "The upload is a file already; delete that.");
  }
  rows.erase_upload(id);
  const auto account = rows.load_account(tenant, upload->owner);
  account->end_upload();
  account->give_back(upload->reserved);
  account->save();
  return true;
}

}  // namespace parley::media
