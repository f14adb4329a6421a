#include "media/stores/mongo_upload_rows.h"

#include <algorithm>

#include "media/stores/mongo_rows.h"

namespace parley::media::mongodb {

bool MongoUploadRows::is_taken(const FileId& id) {
  return write_.db.find_one(kUploads, by_id(id)).has_value() || write_.db.find_one(kFiles, by_id(id)).has_value();
}

void MongoUploadRows::save_reserved(const Upload& upload) {
  save_upload(write_.db, upload);
}

void MongoUploadRows::add_part(Upload& upload, const PartArrived& part) {
  const Upload before = upload;
  add_range(upload.present, part.range);
  upload.expires_at = std::max(upload.expires_at, part.expires_at);
  if (upload != before) save_upload(write_.db, upload);
}

void MongoUploadRows::mark_complete(const Upload& upload, std::uint64_t size) {
  Upload whole = upload;
  whole.complete = true;
  whole.reserved = 0;
  whole.size = size;
  whole.present.clear();
  add_range(whole.present, {0, size});
  save_upload(write_.db, whole);
}

std::optional<Upload> MongoUploadRows::find_upload(const TenantId& tenant, const FileId& id) {
  return mongodb::find_upload(write_.db, tenant, id);
}

std::optional<File> MongoUploadRows::find_file(const TenantId& tenant, const FileId& id) {
  return mongodb::find_file(write_.db, tenant, id);
}

std::unique_ptr<QuotaAccount> MongoUploadRows::load_account(const TenantId& tenant, const UserId& owner) {
  return std::make_unique<Account>(write_.db, tenant, owner);
}

void MongoUploadRows::insert_upload(const Upload& upload) {
  mongodb::insert_upload(write_.db, upload);
}

void MongoUploadRows::erase_upload(const FileId& id) {
  mongodb::erase_upload(write_.db, id);
}

void MongoUploadRows::insert_file(const File& file) {
  mongodb::insert_file(write_.db, file);
}

void MongoUploadRows::append_uploaded(QuotaAccount& account, const File& file) {
  mongodb::append_uploaded(write_, account, file);
}

}  // namespace parley::media::mongodb
