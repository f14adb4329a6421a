// MediaStore: the port behind which all that media knows of files lives, apart from their bytes (blob_store.h). Every
// write is one atomic step: quota, rows and the event in the log commit together or not at all, and a write that
// answered is durable. Rights are the service's to check, but for the owner's: whoever is not named as owner or admin
// finds nothing. Made and owned by app/; called on any event loop, answers on the loop that asked.
//
// Failures, the same from every adapter: not_found, conflict codes as in api/media.yaml, no_room quota_exceeded,
// storage_full, unavailable with retry_after, deadline_exceeded.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "media/types.h"

namespace parley::media {

// 0: no limit. What is there already when a limit is lowered stays; no more comes.
struct QuotaLimits {
  std::uint64_t per_user = 0;          // bytes
  std::uint64_t per_tenant = 0;        // bytes
  std::uint64_t uploads_per_user = 0;  // under way at once, expired ones until they are forgotten
};

struct ReserveMore {
  TenantId tenant;
  FileId upload;
  std::uint64_t at_least = 0;  // bytes beyond those reserved already
  std::uint64_t at_most = 0;
};

struct PartArrived {
  TenantId tenant;
  FileId upload;
  ByteRange range;        // on disk already; an empty one only puts the expiry off
  WallTime expires_at{};  // of the upload from now on, unless it is later already
};

// What turns an upload into a file; the file is as old as this, not as its upload.
struct FinishUpload {
  TenantId tenant;
  FileId upload;
  std::string content_type;
  std::uint64_t size = 0;
  Sha256 sha256{};
};

// Where a page of files ended. Lists are newest first, those of one instant by id, downwards.
struct FileListPoint {
  WallTime created_at{};
  FileId id;
};

struct ListFiles {
  TenantId tenant;
  UserId owner;
  std::optional<FileListPoint> after;  // it may have been deleted since
  std::size_t limit = 50;
};

inline constexpr std::size_t kMaxFilesAtOnce = 100;  // of get_files

struct FilePicture {
  TenantId tenant;
  FileId file;
  std::optional<ImageSize> image;
  std::vector<ThumbnailSize> thumbnails;
};

// What the sweeper and `parley check` compare with the objects.
struct KnownBlob {
  FileId id;
  TenantId tenant;
  bool sealed = false;     // a file, deleted or not, whose bytes must be there; else an upload under way
  std::uint64_t size = 0;  // of a file; of an upload, where the last byte ends that is on disk
  Sha256 sha256{};
  bool deleted = false;
  std::vector<ThumbnailSize> thumbnails;
  std::string content_type;  // of a file
  std::optional<ImageSize> image;
  bool operator==(const KnownBlob&) const = default;
};

// Which objects there should be, over all tenants: the part of the store that is compared with them.
class BlobRecords {
 public:
  virtual ~BlobRecords() = default;
  // All of them, by id, after that one.
  virtual Task<Result<Page<KnownBlob>>> scan_blobs(std::optional<FileId> after, std::size_t limit,
                                                   SteadyTime deadline) = 0;
  // Of those named, what the store knows.
  virtual Task<Result<std::vector<KnownBlob>>> find_blobs(std::vector<FileId> ids, SteadyTime deadline) = 0;
};

class MediaStore : public BlobRecords {
 public:
  // Uploads. begin reserves upload.reserved bytes against both quotas (quota_exceeded) and keeps the upload; times and
  // id are the caller's, the id a new one. Conflict too_many_uploads when the user has as many under way as may be.
  virtual Task<Result<Upload>> begin_upload(Upload upload, SteadyTime deadline) = 0;
  // Reserves between at_least and at_most more, as much as the quotas have left; answers how many bytes are reserved
  // now. quota_exceeded when there is not at_least.
  virtual Task<Result<std::uint64_t>> reserve_more(ReserveMore command, SteadyTime deadline) = 0;
  // Says the size of an upload that began without, and reserves what is missing, or gives back what is too much.
  // Conflict upload_size_known when another was said.
  virtual Task<Result<Upload>> set_upload_size(TenantId tenant, FileId upload, std::uint64_t size,
                                               SteadyTime deadline) = 0;
  // Adds the range to those present. The same range again changes nothing but the expiry. not_found for an upload that
  // is complete or gone.
  virtual Task<Result<Upload>> add_part(PartArrived part, SteadyTime deadline) = 0;
  // Expired and complete ones too, until they are forgotten. Of a complete one everything is present, nothing reserved.
  virtual Task<Result<Upload>> get_upload(TenantId tenant, FileId upload, SteadyTime deadline) = 0;
  // The file, its event (file.uploaded) and the quota, from reserved to stored, at once. The same again answers the
  // same file, while it is not deleted, whether the upload is still known or not. Partial uploads of a concatenation
  // (kTusPartial, of the same owner) are named to be forgotten with it; what they reserved counts towards it.
  // quota_exceeded when what was reserved was less and there is no room for the rest.
  virtual Task<Result<File>> finish_upload(FinishUpload command, std::vector<FileId> partials, SteadyTime deadline) = 0;
  // Forgets it and gives back what it reserved. False when it was not there; conflict upload_complete when it is a
  // file.
  virtual Task<Result<bool>> abort_upload(TenantId tenant, FileId upload, SteadyTime deadline) = 0;

  // Files that are not deleted.
  virtual Task<Result<File>> get_file(TenantId tenant, FileId file, SteadyTime deadline) = 0;
  // The same of its owner's alone: for anybody else not_found, after a time that tells neither whether there is such a
  // file nor whether it was read lately. An adapter that remembers files of its own must see to that.
  virtual Task<Result<File>> get_own_file(TenantId tenant, UserId owner, FileId file, SteadyTime deadline) {
    auto found = co_await get_file(std::move(tenant), std::move(file), deadline);
    if (found && found->owner != owner) co_return not_found("file");
    co_return found;
  }
  // In the order asked for, at most kMaxFilesAtOnce; those unknown or deleted are left out.
  virtual Task<Result<std::vector<File>>> get_files(TenantId tenant, std::vector<FileId> files,
                                                    SteadyTime deadline) = 0;
  virtual Task<Result<Page<File>>> list_files(ListFiles query, SteadyTime deadline) = 0;
  // Soft: gone from every answer and from the quota at once, with its event (file.deleted); the bytes go later.
  // not_found when there is none; `by` is noted.
  virtual Task<Result<File>> delete_file(TenantId tenant, FileId file, UserId by, SteadyTime deadline) = 0;
  virtual Task<Result<>> set_picture(FilePicture picture, SteadyTime deadline) = 0;
  virtual Task<Result<Usage>> get_usage(TenantId tenant, UserId user, SteadyTime deadline) = 0;

  // For the sweeper, over all tenants. The first: kTus uploads that are no files yet though nothing more is to come
  // from their clients, all present or made of partial ones (partials_of). At most `limit`, those that expire first;
  // expired ones, too.
  virtual Task<Result<std::vector<Upload>>> uploads_to_finish(std::size_t limit, SteadyTime deadline) = 0;
  // Forgets uploads that expired before `now`, at most `limit`, and gives back what they reserved. Answers the ids of
  // those that were not complete: their objects are the caller's to remove now or to find later as orphans. Of complete
  // ones only the memory goes; at most `limit` of these as well.
  virtual Task<Result<std::vector<FileId>>> forget_expired_uploads(WallTime now, std::size_t limit,
                                                                   SteadyTime deadline) = 0;
  // kWhole uploads that began before `began_before`: nobody can go on with them once their process is gone.
  virtual Task<Result<std::vector<FileId>>> forget_whole_uploads(WallTime began_before, std::size_t limit,
                                                                 SteadyTime deadline) = 0;
  // Files deleted before `before` whose bytes are still to be removed, and that they have been.
  virtual Task<Result<std::vector<FileId>>> files_to_purge(WallTime before, std::size_t limit, SteadyTime deadline) = 0;
  virtual Task<Result<>> forget_purged(std::vector<FileId> files, SteadyTime deadline) = 0;

  // For /health: a small read that fails when the engine is down.
  virtual Task<Result<>> ping(SteadyTime deadline) = 0;
};

}  // namespace parley::media
