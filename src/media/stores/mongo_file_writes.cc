#include "media/event_data.h"
#include "media/stores/mongo_rows.h"
#include "media/stores/mongo_writes.h"

namespace parley::media::mongodb {

namespace {

using mongo::Document;
using mongo::make_document;

events::NewMongoEvent file_event(WriteContext& write, QuotaAccount& account, const File& file, std::string_view type) {
  return {.id = make_uuid_v7_bytes(write.now, write.random),
          .type = std::string(type),
          .tenant = file.tenant.value,
          .scope = events::EventScope::kUser,
          .key = file.owner.value,
          .number = account.next_event_number(),
          .time = write.now,
          .subject = file.id.value,
          .data = std::nullopt,
          .reference = {.document = RowId(file.id).bytes, .version = 0}};
}

void append(WriteContext& write, events::NewMongoEvent event) {
  write.db.companion<events::MongoEventAppender>().append(std::move(event));
}

}  // namespace

void append_uploaded(WriteContext& write, QuotaAccount& account, const File& file) {
  append(write, file_event(write, account, file, kFileUploaded));
}

Result<File> delete_file(WriteContext& write, const TenantId& tenant, const FileId& id, const UserId& by) {
  auto file = find_file(write.db, tenant, id);
  if (!file) return not_found("file");
  write.db.update_one(kFiles, of_tenant(tenant, id),
                      make_document("$set", make_document("deleted_at", write.now, "deleted_by", by.value), "$unset",
                                    make_document("live", "")));
  Account account(write.db, tenant, file->owner);
  account.remove_file(file->size);
  auto event = file_event(write, account, *file, kFileDeleted);
  event.data = file_deleted_data(*file, write.now, by);
  append(write, std::move(event));
  account.save();
  return std::move(*file);
}

Result<> set_picture(WriteContext& write, const FilePicture& picture) {
  Document set = make_document("thumbnails", thumbnail_bits(picture.thumbnails));
  Document change;
  if (picture.image) {
    set.add("width", picture.image->width).add("height", picture.image->height);
  } else {
    change.add("$unset", make_document("width", "", "height", ""));
  }
  change.add("$set", set);
  Document filter = of_tenant(picture.tenant, picture.file);
  filter.add("live", true);
  if (write.db.update_one(kFiles, filter, change).matched == 0) return not_found("file");
  return {};
}

}  // namespace parley::media::mongodb
