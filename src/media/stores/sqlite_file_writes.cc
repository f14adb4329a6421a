#include "media/event_data.h"
#include "media/stores/sqlite_rows.h"
#include "media/stores/sqlite_writes.h"

namespace parley::media {

namespace {

events::NewEvent file_event(WriteContext& write, QuotaAccount& account, const File& file, std::string_view type) {
  return {.id = make_uuid_v7_bytes(write.now, write.random),
          .type = type,
          .tenant = file.tenant.value,
          .scope = events::EventScope::kUser,
          .key = file.owner.value,
          .number = account.next_event_number(),
          .time = write.now,
          .subject = file.id.value,
          .data = {},
          .reference = {}};
}

}  // namespace

void append_uploaded(WriteContext& write, QuotaAccount& account, const File& file) {
  events::append(write.db, file_event(write, account, file, kFileUploaded));
}

Result<File> delete_file(WriteContext& write, const TenantId& tenant, const FileId& id, const UserId& by) {
  auto file = find_file(write.db, tenant, id);
  if (!file) return not_found("file");
  sqlite::Query(write.db, "UPDATE files SET deleted_at = ?3, deleted_by = ?4 WHERE id = ?1 AND tenant = ?2", row_id(id),
                tenant.value, to_ms(write.now), by.value)
      .run();
  Account account(write.db, tenant, file->owner);
  account.remove_file(file->size);
  const std::string data = file_deleted_data(*file, write.now, by);
  auto event = file_event(write, account, *file, kFileDeleted);
  event.data = data;
  events::append(write.db, event);
  account.save();
  return std::move(*file);
}

Result<> set_picture(WriteContext& write, const FilePicture& picture) {
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> height;
  if (picture.image) {
    width = picture.image->width;
    height = picture.image->height;
  }
  const auto changed =
      sqlite::Query(write.db,
                    "UPDATE files SET image_width = ?3, image_height = ?4, thumbnails = ?5 "
                    "WHERE id = ?1 AND tenant = ?2 AND deleted_at IS NULL",
                    row_id(picture.file), picture.tenant.value, width, height, thumbnail_bits(picture.thumbnails))
          .run();
  if (changed == 0) return not_found("file");
  return {};
}

}  // namespace parley::media
