// MongoUploadRows: the rows that upload_rules.h asks for, within one transaction. Throws mongo::Failure.
#pragma once
#include "media/stores/mongo_writes.h"
#include "media/upload_rules.h"

namespace parley::media::mongodb {

class MongoUploadRows final : public UploadRows {
 public:
  // `write` must outlive it.
  explicit MongoUploadRows(WriteContext& write) : write_(write) {}

  bool is_taken(const FileId& id) override;
  std::optional<Upload> find_upload(const TenantId& tenant, const FileId& id) override;
  std::optional<File> find_file(const TenantId& tenant, const FileId& id) override;
  std::unique_ptr<QuotaAccount> load_account(const TenantId& tenant, const UserId& owner) override;
  void insert_upload(const Upload& upload) override;
  void save_reserved(const Upload& upload) override;
  void add_part(Upload& upload, const PartArrived& part) override;
  void mark_complete(const Upload& upload, std::uint64_t size) override;
  void erase_upload(const FileId& id) override;
  void insert_file(const File& file) override;
  void append_uploaded(QuotaAccount& account, const File& file) override;

 private:
  WriteContext& write_;
};

}  // namespace parley::media::mongodb
