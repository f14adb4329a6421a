// What becomes of an upload, whichever store keeps it: who may begin one, what it reserves, when it is a file. Each
// runs within one transaction of a store's, looks before its first write for all that it may fail of, and may be run
// again after the transaction was undone. Whatever UploadRows throws passes through.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "media/media_store.h"
#include "media/quota_account.h"

namespace parley::media {

// What the rules ask of a store, within the transaction.
class UploadRows {
 public:
  virtual ~UploadRows() = default;

  // By an upload or a file, of any tenant, deleted ones too.
  virtual bool is_taken(const FileId& id) = 0;
  // With what is present of it.
  virtual std::optional<Upload> find_upload(const TenantId& tenant, const FileId& id) = 0;
  // Not a deleted one.
  virtual std::optional<File> find_file(const TenantId& tenant, const FileId& id) = 0;
  virtual std::unique_ptr<QuotaAccount> load_account(const TenantId& tenant, const UserId& owner) = 0;

  virtual void insert_upload(const Upload& upload) = 0;
  // Its `reserved` and its `size`.
  virtual void save_reserved(const Upload& upload) = 0;
  // In the rows and in `upload`: the range among those present, and the expiry, where it is later.
  virtual void add_part(Upload& upload, const PartArrived& part) = 0;
  // It stays, for who asks again, until it expires: whole, of `size`, with nothing reserved.
  virtual void mark_complete(const Upload& upload, std::uint64_t size) = 0;
  virtual void erase_upload(const FileId& id) = 0;
  virtual void insert_file(const File& file) = 0;
  // Appends file.uploaded, whose data is made when it is read, so that the log forgets what a deletion forgets.
  virtual void append_uploaded(QuotaAccount& account, const File& file) = 0;
};

Result<Upload> begin_upload(UploadRows& rows, const QuotaLimits& limits, const Upload& upload);
Result<std::uint64_t> reserve_more(UploadRows& rows, const QuotaLimits& limits, const ReserveMore& command);
Result<Upload> set_upload_size(UploadRows& rows, const QuotaLimits& limits, const TenantId& tenant,
                               const FileId& upload, std::uint64_t size);
Result<Upload> add_part(UploadRows& rows, const PartArrived& part);
// `now` is the file's time.
Result<File> finish_upload(UploadRows& rows, const QuotaLimits& limits, WallTime now, const FinishUpload& command,
                           const std::vector<FileId>& partials);
Result<bool> abort_upload(UploadRows& rows, const TenantId& tenant, const FileId& upload);

}  // namespace parley::media
