// What the sweeper does over all tenants, a piece at a time; every question has an index to answer it.
#include "media/stores/sqlite_rows.h"
#include "media/stores/sqlite_writes.h"

namespace parley::media {

namespace {

struct Reservation {
  FileId upload;
  TenantId tenant;
  UserId owner;
  std::uint64_t bytes = 0;
};

// From rows of id, tenant, owner, reserved.
std::vector<Reservation> take_reservations(sqlite::Query& rows) {
  std::vector<Reservation> found;
  while (rows.step()) {
    found.push_back({FileId(format_uuid(rows.blob(0))), TenantId(rows.text(1)), UserId(rows.text(2)),
                     static_cast<std::uint64_t>(rows.integer(3))});
  }
  return found;
}

std::vector<FileId> forget(sqlite::Connection& db, const std::vector<Reservation>& uploads) {
  std::vector<FileId> ids;
  for (const Reservation& upload : uploads) {
    erase_upload(db, upload.upload);
    Account account(db, upload.tenant, upload.owner);
    account.end_upload();
    account.give_back(upload.bytes);
    account.save();
    ids.push_back(upload.upload);
  }
  return ids;
}

void forget_complete(sqlite::Connection& db, WallTime expired_before, std::size_t limit) {
  std::vector<FileId> ids;
  {
    sqlite::Query rows(db, "SELECT id FROM uploads WHERE complete = 1 AND expires_at < ?1 ORDER BY expires_at LIMIT ?2",
                       to_ms(expired_before), limit);
    while (rows.step()) ids.emplace_back(format_uuid(rows.blob(0)));
  }
  for (const FileId& id : ids) erase_upload(db, id);
}

}  // namespace

std::vector<FileId> forget_expired_uploads(WriteContext& write, WallTime expired_before, std::size_t limit) {
  forget_complete(write.db, expired_before, limit);
  std::vector<Reservation> expired;
  {
    sqlite::Query rows(write.db,
                       "SELECT id, tenant, owner, reserved FROM uploads WHERE complete = 0 AND expires_at < ?1 "
                       "ORDER BY expires_at LIMIT ?2",
                       to_ms(expired_before), limit);
    expired = take_reservations(rows);
  }
  return forget(write.db, expired);
}

std::vector<FileId> forget_whole_uploads(WriteContext& write, WallTime began_before, std::size_t limit) {
  std::vector<Reservation> left;
  {
    sqlite::Query rows(write.db,
                       "SELECT id, tenant, owner, reserved FROM uploads WHERE kind = 0 AND complete = 0 "
                       "AND created_at < ?1 ORDER BY created_at LIMIT ?2",
                       to_ms(began_before), limit);
    left = take_reservations(rows);
  }
  return forget(write.db, left);
}

void forget_purged(WriteContext& write, const std::vector<FileId>& files) {
  for (const FileId& id : files) {
    sqlite::Query(write.db, "DELETE FROM files WHERE id = ?1 AND deleted_at IS NOT NULL", row_id(id)).run();
  }
}

}  // namespace parley::media
