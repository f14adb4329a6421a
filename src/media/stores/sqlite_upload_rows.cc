#include "media/stores/sqlite_upload_rows.h"

#include "base/check.h"
#include "media/stores/sqlite_rows.h"

namespace parley::media {

bool SqliteUploadRows::is_taken(const FileId& id) {
  sqlite::Query row(write_.db,
                    "SELECT EXISTS(SELECT 1 FROM uploads WHERE id = ?1) OR EXISTS(SELECT 1 FROM files WHERE id = ?1)",
                    row_id(id));
  CHECK(row.step());
  return row.integer(0) != 0;
}

void SqliteUploadRows::save_reserved(const Upload& upload) {
  sqlite::Query(write_.db, "UPDATE uploads SET reserved = ?3, size = ?4 WHERE id = ?1 AND tenant = ?2",
                row_id(upload.id), upload.tenant.value, upload.reserved, upload.size)
      .run();
}

void SqliteUploadRows::add_part(Upload& upload, const PartArrived& part) {
  add_range(write_.db, upload.id, part.range);
  upload.present = load_ranges(write_.db, upload.id);
  if (part.expires_at <= upload.expires_at) return;
  upload.expires_at = part.expires_at;
  sqlite::Query(write_.db, "UPDATE uploads SET expires_at = ?3 WHERE id = ?1 AND tenant = ?2", row_id(upload.id),
                upload.tenant.value, to_ms(upload.expires_at))
      .run();
}

void SqliteUploadRows::mark_complete(const Upload& upload, std::uint64_t size) {
  sqlite::Query(write_.db, "UPDATE uploads SET complete = 1, reserved = 0, size = ?3 WHERE id = ?1 AND tenant = ?2",
                row_id(upload.id), upload.tenant.value, size)
      .run();
  sqlite::Query(write_.db, "DELETE FROM upload_ranges WHERE upload = ?1", row_id(upload.id)).run();
  add_range(write_.db, upload.id, {0, size});
}

std::optional<Upload> SqliteUploadRows::find_upload(const TenantId& tenant, const FileId& id) {
  return media::find_upload(write_.db, tenant, id);
}

std::optional<File> SqliteUploadRows::find_file(const TenantId& tenant, const FileId& id) {
  return media::find_file(write_.db, tenant, id);
}

std::unique_ptr<QuotaAccount> SqliteUploadRows::load_account(const TenantId& tenant, const UserId& owner) {
  return std::make_unique<Account>(write_.db, tenant, owner);
}

void SqliteUploadRows::insert_upload(const Upload& upload) {
  media::insert_upload(write_.db, upload);
}

void SqliteUploadRows::erase_upload(const FileId& id) {
  media::erase_upload(write_.db, id);
}

void SqliteUploadRows::insert_file(const File& file) {
  media::insert_file(write_.db, file);
}

void SqliteUploadRows::append_uploaded(QuotaAccount& account, const File& file) {
  media::append_uploaded(write_, account, file);
}

}  // namespace parley::media
