#include "media/stores/sqlite_transfer.h"

#include "base/check.h"
#include "events/sqlite_event_log.h"
#include "events/sqlite_move_mark.h"
#include "media/stores/sqlite_media_store.h"
#include "media/stores/sqlite_rows.h"
#include "media/stores/sqlite_schema.h"

namespace parley::media {

using namespace transfer;  // NOLINT(google-build-using-namespace): the port's records, all over this file

namespace {

sqlite::MovedDatabase::Kind kind() {
  return {kMediaDatabase, kMediaApplicationId, media_migrations(), "media"};
}

// The bounds of a range of ids as SQL parameters: an empty blob is below all, none is no bound.
struct IdBounds {
  explicit IdBounds(const KeyRange<FileId>& range)
      : limit(range.limit == 0 ? -1 : static_cast<std::int64_t>(range.limit)) {
    if (range.after) after = row_id(*range.after);
    if (range.through) through = row_id(*range.through);
  }
  std::optional<UuidBytes> after;
  std::optional<UuidBytes> through;
  std::int64_t limit;
};

std::optional<std::int64_t> optional_ms(const std::optional<WallTime>& time) {
  return time ? std::optional(to_ms(*time)) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<SqliteMediaTransfer>> SqliteMediaTransfer::open_source(const std::filesystem::path& folder,
                                                                              sqlite::MoveLock lock) {
  auto store = sqlite::MovedDatabase::open_source(folder, kind(), lock);
  if (!store) return fail(std::move(store.error()));
  return std::unique_ptr<SqliteMediaTransfer>(new SqliteMediaTransfer(std::move(*store)));
}

Result<std::unique_ptr<SqliteMediaTransfer>> SqliteMediaTransfer::open_target(const std::filesystem::path& folder) {
  auto store = sqlite::MovedDatabase::open_target(folder, kind());
  if (!store) return fail(std::move(store.error()));
  return std::unique_ptr<SqliteMediaTransfer>(new SqliteMediaTransfer(std::move(*store)));
}

Result<PositionSecret> SqliteMediaTransfer::position_secret() {
  return store_->read<PositionSecret>([](sqlite::Connection& db) { return events::load_position_secret(db); });
}

Result<LogEnd> SqliteMediaTransfer::log_end() {
  return store_->read<LogEnd>([](sqlite::Connection& db) {
    LogEnd end;
    if (sqlite::Query row(db, "SELECT position FROM event_consumers WHERE name = ?1", kTeller); row.step()) {
      end.told = events::LogOffset{row.integer(0)};
    }
    sqlite::Query row(db,
                      "SELECT " PARLEY_EVENT_COLUMNS
                      " FROM event_log "
                      "WHERE position > min(coalesce(?1, 9223372036854775807), (SELECT max(position) FROM event_log) - "
                      "1) ORDER BY position",
                      end.told ? std::optional(end.told->value) : std::nullopt);
    while (row.step()) {
      KeptEvent& kept = end.events.emplace_back();
      kept.event = events::read_event(row);
      kept.refers = row.is_null(9);
    }
    return end;
  });
}

Result<std::vector<FileRecord>> SqliteMediaTransfer::files(const KeyRange<FileId>& range) {
  return store_->read<std::vector<FileRecord>>([&range](sqlite::Connection& db) {
    const IdBounds bounds(range);
    std::vector<FileRecord> records;
    sqlite::Query row(db,
                      "SELECT " PARLEY_FILE_COLUMNS
                      ", deleted_at, deleted_by FROM files WHERE id > coalesce(?1, x'') AND (?2 IS NULL OR id <= ?2) "
                      "ORDER BY id LIMIT ?3",
                      bounds.after, bounds.through, bounds.limit);
    while (row.step()) {
      FileRecord& record = records.emplace_back();
      record.file = read_file(row);
      if (!row.is_null(11)) record.deleted_at = wall_time(row.integer(11));
      if (!row.is_null(12)) record.deleted_by = UserId(row.text(12));
    }
    return records;
  });
}

Result<std::vector<UploadRecord>> SqliteMediaTransfer::uploads(const KeyRange<FileId>& range) {
  return store_->read<std::vector<UploadRecord>>([&range](sqlite::Connection& db) {
    const IdBounds bounds(range);
    std::vector<std::pair<TenantId, FileId>> names;
    {
      sqlite::Query row(db,
                        "SELECT tenant, id FROM uploads WHERE id > coalesce(?1, x'') AND (?2 IS NULL OR id <= ?2) "
                        "ORDER BY id LIMIT ?3",
                        bounds.after, bounds.through, bounds.limit);
      while (row.step()) names.emplace_back(TenantId(row.text(0)), FileId(format_uuid(row.blob(1))));
    }
    std::vector<UploadRecord> records;
    for (const auto& [tenant, id] : names) {
      auto upload = find_upload(db, tenant, id);
      CHECK(upload.has_value());
      records.push_back({std::move(*upload)});
    }
    return records;
  });
}

Result<std::vector<UsageRecord>> SqliteMediaTransfer::usage(const KeyRange<UsageName>& range) {
  return store_->read<std::vector<UsageRecord>>([&range](sqlite::Connection& db) {
    const auto part = [](const std::optional<UsageName>& name, bool tenant) {
      if (!name) return std::optional<std::string>();
      return std::optional(tenant ? name->tenant.value : name->user.value);
    };
    const auto after_tenant = part(range.after, true);
    const auto after_user = part(range.after, false);
    const auto last_tenant = part(range.through, true);
    const auto last_user = part(range.through, false);
    std::vector<UsageRecord> records;
    sqlite::Query row(db,
                      "SELECT tenant, user, stored, reserved, files, uploads, event_number FROM "
                      "(SELECT tenant, user, stored, reserved, files, uploads, event_number FROM user_usage UNION ALL "
                      "SELECT tenant, '', stored, reserved, files, 0, 0 FROM tenant_usage) "
                      "WHERE (?1 IS NULL OR (tenant, user) > (?1, ?2)) AND (?3 IS NULL OR (tenant, user) <= (?3, ?4)) "
                      "ORDER BY tenant, user LIMIT ?5",
                      after_tenant, after_user, last_tenant, last_user,
                      range.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(range.limit));
    while (row.step()) {
      records.push_back({{TenantId(row.text(0)), UserId(row.text(1))},
                         row.integer(2),
                         row.integer(3),
                         row.integer(4),
                         row.integer(5),
                         row.integer(6)});
    }
    return records;
  });
}

Result<std::optional<MoveMark>> SqliteMediaTransfer::mark() {
  return store_->read<std::optional<MoveMark>>(events::read_move_mark);
}

Result<bool> SqliteMediaTransfer::is_empty() {
  return store_->read<bool>([](sqlite::Connection& db) {
    return db.query_int(
               "SELECT EXISTS(SELECT 1 FROM files) + EXISTS(SELECT 1 FROM uploads) + EXISTS(SELECT 1 FROM "
               "event_log)") == 0;
  });
}

Result<> SqliteMediaTransfer::begin(const MoveMark& mark, const PositionSecret& secret) {
  return store_->write([&](sqlite::Connection& db) {
    events::take_position_secret(db, secret);
    events::write_move_mark(db, mark);
  });
}

Result<> SqliteMediaTransfer::put_files(std::span<const FileRecord> files) {
  if (files.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const FileRecord& record : files) {
      const File& file = record.file;
      std::optional<std::int64_t> width;
      std::optional<std::int64_t> height;
      if (file.image) {
        width = file.image->width;
        height = file.image->height;
      }
      sqlite::Query(db,
                    "INSERT OR REPLACE INTO files(id, tenant, owner, filename, content_type, size, sha256, created_at, "
                    "image_width, image_height, thumbnails, deleted_at, deleted_by) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                    row_id(file.id), file.tenant.value, file.owner.value, file.filename, file.content_type, file.size,
                    file.sha256, to_ms(file.created_at), width, height, thumbnail_bits(file.thumbnails),
                    optional_ms(record.deleted_at),
                    record.deleted_by ? std::optional<std::string_view>(record.deleted_by->value) : std::nullopt)
          .run();
    }
  });
}

Result<> SqliteMediaTransfer::remove_files(std::span<const FileRecord> files) {
  if (files.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const FileRecord& record : files) {
      sqlite::Query(db, "DELETE FROM files WHERE id = ?1", row_id(record.file.id)).run();
    }
  });
}

Result<> SqliteMediaTransfer::put_uploads(std::span<const UploadRecord> uploads) {
  if (uploads.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const UploadRecord& record : uploads) {
      erase_upload(db, record.upload.id);
      insert_upload(db, record.upload);
      if (!record.upload.complete) continue;
      sqlite::Query(db, "UPDATE uploads SET complete = 1 WHERE id = ?1", row_id(record.upload.id)).run();
    }
  });
}

Result<> SqliteMediaTransfer::remove_uploads(std::span<const UploadRecord> uploads) {
  if (uploads.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const UploadRecord& record : uploads) erase_upload(db, record.upload.id);
  });
}

Result<> SqliteMediaTransfer::put_usage(std::span<const UsageRecord> usage) {
  if (usage.empty()) return {};
  return store_->write([&](sqlite::Connection& db) {
    for (const UsageRecord& record : usage) {
      if (record.name.user.empty()) {
        sqlite::Query(db, "INSERT OR REPLACE INTO tenant_usage(tenant, stored, reserved, files) VALUES(?1, ?2, ?3, ?4)",
                      record.name.tenant.value, record.stored, record.reserved, record.files)
            .run();
        continue;
      }
      sqlite::Query(db,
                    "INSERT OR REPLACE INTO user_usage(tenant, user, stored, reserved, files, uploads, event_number) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    record.name.tenant.value, record.name.user.value, record.stored, record.reserved, record.files,
                    record.uploads, record.event_number)
          .run();
    }
  });
}

namespace {

events::NumberedEvent event_of(const KeptEvent& kept) {
  events::NewEvent event = events::new_event_of(kept.event);
  if (kept.refers) event.data.reset();  // made of the file, which is found by the subject
  return {event, kept.event.offset};
}

}  // namespace

Result<> SqliteMediaTransfer::finish(const LogEnd& end) {
  const auto present = mark();
  if (!present) return fail(present.error());
  CHECK(present->has_value());
  std::vector<events::NumberedEvent> events;
  for (const KeptEvent& kept : end.events) events.push_back(event_of(kept));
  auto done = store_->write([&](sqlite::Connection& db) {
    events::begin_behind(db, events);
    if (end.told) {
      sqlite::Query(db, "INSERT OR REPLACE INTO event_consumers(name, position) VALUES(?1, ?2)", kTeller,
                    end.told->value)
          .run();
    }
    events::write_move_mark(db, {(*present)->source, MoveMark::State::kDone});
  });
  if (!done) return done;
  return store_->settle();
}

}  // namespace parley::media
