#include "media/stores/sqlite_media_store.h"

#include "events/sqlite_move_mark.h"
#include "media/stores/sqlite_reads.h"
#include "media/stores/sqlite_rows.h"
#include "media/stores/sqlite_schema.h"
#include "media/stores/sqlite_upload_rows.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr int kWriterCacheKib = 8 * 1024;
constexpr std::size_t kRecentFiles = 4096;  // some 2 MiB

}  // namespace

Result<std::unique_ptr<SqliteMediaStore>> SqliteMediaStore::open(Options options, const Clock& clock, Random& random) {
  auto folder = sqlite::LockedFolder::open(options.folder);
  if (!folder) return fail(folder.error());
  try {
    auto connection = std::make_unique<sqlite::Connection>(
        sqlite::ConnectionOptions{.file = options.folder / kMediaDatabase, .cache_kib = kWriterCacheKib});
    if (auto migrated = sqlite::migrate(*connection, kMediaApplicationId, media_migrations()); !migrated) {
      return fail(migrated.error());
    }
    if (auto ours = events::expect_no_move(*connection); !ours) return fail(ours.error());
    const auto secret = events::load_position_secret(*connection);
    return std::unique_ptr<SqliteMediaStore>(
        new SqliteMediaStore(std::move(*folder), std::move(connection), secret, options, clock, random));
  } catch (const sqlite::Failure& failure) {
    log_error("the media store cannot be opened", {{"folder", options.folder.string()}, {"error", failure.what()}});
    return fail(sqlite::to_error(failure));
  }
}

SqliteMediaStore::SqliteMediaStore(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection,
                                   const events::PositionCodec::Secret& secret, const Options& options,
                                   const Clock& clock, Random& random)
    : folder_(std::move(folder)),
      limits_(options.limits),
      clock_(clock),
      random_(random),
      positions_(secret),
      recent_(kRecentFiles),
      readers_({.file = options.folder / kMediaDatabase,
                .thread_name = "media-read",
                .threads = options.reader_threads,
                .queue_limit = options.reader_queue_limit},
               clock),
      writer_(std::move(connection),
              {.file = options.folder / kMediaDatabase,
               .thread_name = "media-write",
               .batch_limit = options.batch_limit,
               .queue_limit = options.writer_queue_limit,
               .cache_kib = kWriterCacheKib,
               .truncate_wal_bytes = static_cast<std::int64_t>(options.max_wal_bytes),
               .observer = options.observer,
               .after_commit =
                   [this] {
                     forget_changed();
                     signal_.notify();
                   },
               .after_rollback = [this] { forget_changed(); }},
              clock),
      log_(writer_, readers_, signal_, resolve_file_event, positions_) {}

// A commit that failed may have reached the disk all the same, so a rollback is no reason to remember.
void SqliteMediaStore::forget_changed() {
  if (changed_.empty()) return;
  recent_.forget(changed_);
  changed_.clear();
}

template <class T>
Task<Result<T>> SqliteMediaStore::write(SteadyTime deadline, std::move_only_function<Result<T>(WriteContext&)> act) {
  return writer_.run<T>(deadline, [this, act = std::move(act)](sqlite::Connection& db) mutable {
    WriteContext context{db, limits_, clock_.wall_now(), random_};
    return act(context);
  });
}

template <class T>
Task<Result<T>> SqliteMediaStore::read(SteadyTime deadline,
                                       std::move_only_function<Result<T>(sqlite::Connection&)> answer) {
  return readers_.run<T>(deadline, std::move(answer));
}

// The rest only names which function does it.
using Store = SqliteMediaStore;
using Db = sqlite::Connection;

Task<Result<Upload>> Store::begin_upload(Upload upload, SteadyTime deadline) {
  return write<Upload>(deadline, [upload = std::move(upload)](WriteContext& write) {
    SqliteUploadRows rows(write);
    return media::begin_upload(rows, write.limits, upload);
  });
}
Task<Result<std::uint64_t>> Store::reserve_more(ReserveMore command, SteadyTime deadline) {
  return write<std::uint64_t>(deadline, [command = std::move(command)](WriteContext& write) {
    SqliteUploadRows rows(write);
    return media::reserve_more(rows, write.limits, command);
  });
}
Task<Result<Upload>> Store::set_upload_size(TenantId tenant, FileId upload, std::uint64_t size, SteadyTime deadline) {
  return write<Upload>(deadline, [tenant = std::move(tenant), upload = std::move(upload), size](WriteContext& write) {
    SqliteUploadRows rows(write);
    return media::set_upload_size(rows, write.limits, tenant, upload, size);
  });
}
Task<Result<Upload>> Store::add_part(PartArrived part, SteadyTime deadline) {
  return write<Upload>(deadline, [part = std::move(part)](WriteContext& write) {
    SqliteUploadRows rows(write);
    return media::add_part(rows, part);
  });
}
Task<Result<Upload>> Store::get_upload(TenantId tenant, FileId upload, SteadyTime deadline) {
  return read<Upload>(deadline, [tenant = std::move(tenant), id = std::move(upload)](Db& db) -> Result<Upload> {
    auto found = find_upload(db, tenant, id);
    if (!found) return not_found("upload");
    return std::move(*found);
  });
}
Task<Result<File>> Store::finish_upload(FinishUpload command, std::vector<FileId> partials, SteadyTime deadline) {
  return write<File>(deadline, [command = std::move(command), partials = std::move(partials)](WriteContext& write) {
    SqliteUploadRows rows(write);
    return media::finish_upload(rows, write.limits, write.now, command, partials);
  });
}
Task<Result<bool>> Store::abort_upload(TenantId tenant, FileId upload, SteadyTime deadline) {
  return write<bool>(deadline, [tenant = std::move(tenant), upload = std::move(upload)](WriteContext& write) {
    SqliteUploadRows rows(write);
    return media::abort_upload(rows, tenant, upload);
  });
}

Task<Result<File>> Store::get_file(TenantId tenant, FileId file, SteadyTime deadline) {
  if (auto known = recent_.find(tenant, file)) co_return std::move(*known);
  co_return co_await look_up_file(std::move(tenant), std::move(file), deadline);
}
Task<Result<File>> Store::get_own_file(TenantId tenant, UserId owner, FileId file, SteadyTime deadline) {
  if (auto known = recent_.find(tenant, file); known && known->owner == owner) co_return std::move(*known);
  auto found = co_await look_up_file(std::move(tenant), std::move(file), deadline);
  if (found && found->owner != owner) co_return not_found("file");
  co_return found;
}
Task<Result<File>> Store::look_up_file(TenantId tenant, FileId file, SteadyTime deadline) {
  const std::uint64_t began = recent_.begin_read();
  auto found =
      co_await read<File>(deadline, [tenant = std::move(tenant), id = std::move(file)](Db& db) -> Result<File> {
        auto row = find_file(db, tenant, id);
        if (!row) return not_found("file");
        return std::move(*row);
      });
  if (found) recent_.keep(*found, began);
  co_return found;
}
Task<Result<std::vector<File>>> Store::get_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) {
  CHECK(files.size() <= kMaxFilesAtOnce);
  return read<std::vector<File>>(deadline, [tenant = std::move(tenant), files = std::move(files)](Db& db) {
    return media::get_files(db, tenant, files);
  });
}
Task<Result<Page<File>>> Store::list_files(ListFiles query, SteadyTime deadline) {
  return read<Page<File>>(
      deadline, [query = std::move(query)](Db& db) -> Result<Page<File>> { return media::list_files(db, query); });
}
Task<Result<File>> Store::delete_file(TenantId tenant, FileId file, UserId by, SteadyTime deadline) {
  return write<File>(
      deadline, [this, tenant = std::move(tenant), file = std::move(file), by = std::move(by)](WriteContext& write) {
        changed_.push_back(file);
        return media::delete_file(write, tenant, file, by);
      });
}
Task<Result<>> Store::set_picture(FilePicture picture, SteadyTime deadline) {
  return write<void>(deadline, [this, picture = std::move(picture)](WriteContext& write) {
    changed_.push_back(picture.file);
    return media::set_picture(write, picture);
  });
}
Task<Result<Usage>> Store::get_usage(TenantId tenant, UserId user, SteadyTime deadline) {
  return read<Usage>(deadline, [this, tenant = std::move(tenant), user = std::move(user)](Db& db) -> Result<Usage> {
    return Account(db, tenant, user).usage(limits_);
  });
}

Task<Result<std::vector<Upload>>> Store::uploads_to_finish(std::size_t limit, SteadyTime deadline) {
  return read<std::vector<Upload>>(
      deadline, [limit](Db& db) -> Result<std::vector<Upload>> { return media::uploads_to_finish(db, limit); });
}
Task<Result<std::vector<FileId>>> Store::forget_expired_uploads(WallTime now, std::size_t limit, SteadyTime deadline) {
  return write<std::vector<FileId>>(deadline, [now, limit](WriteContext& write) -> Result<std::vector<FileId>> {
    return media::forget_expired_uploads(write, now, limit);
  });
}
Task<Result<std::vector<FileId>>> Store::forget_whole_uploads(WallTime began_before, std::size_t limit,
                                                              SteadyTime deadline) {
  return write<std::vector<FileId>>(deadline,
                                    [began_before, limit](WriteContext& write) -> Result<std::vector<FileId>> {
                                      return media::forget_whole_uploads(write, began_before, limit);
                                    });
}
Task<Result<std::vector<FileId>>> Store::files_to_purge(WallTime before, std::size_t limit, SteadyTime deadline) {
  return read<std::vector<FileId>>(deadline, [before, limit](Db& db) -> Result<std::vector<FileId>> {
    return media::files_to_purge(db, before, limit);
  });
}
Task<Result<>> Store::forget_purged(std::vector<FileId> files, SteadyTime deadline) {
  return write<void>(deadline, [files = std::move(files)](WriteContext& write) -> Result<> {
    media::forget_purged(write, files);
    return {};
  });
}
Task<Result<Page<KnownBlob>>> Store::scan_blobs(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) {
  return read<Page<KnownBlob>>(deadline, [after = std::move(after), limit](Db& db) -> Result<Page<KnownBlob>> {
    return media::scan_blobs(db, after, limit);
  });
}
Task<Result<std::vector<KnownBlob>>> Store::find_blobs(std::vector<FileId> ids, SteadyTime deadline) {
  return read<std::vector<KnownBlob>>(deadline, [ids = std::move(ids)](Db& db) -> Result<std::vector<KnownBlob>> {
    return media::find_blobs(db, ids);
  });
}

Task<Result<>> Store::ping(SteadyTime deadline) {
  auto head = co_await log_.head(deadline);
  if (!head) co_return fail(std::move(head.error()));
  co_return Result<>{};
}

Task<Result<CheckReport>> Store::check(SteadyTime deadline) {
  return read<CheckReport>(deadline, [](Db& db) -> Result<CheckReport> { return check_media(db); });
}

Task<Result<std::int64_t>> Store::mend(SteadyTime deadline) {
  return write<std::int64_t>(deadline,
                             [](WriteContext& write) -> Result<std::int64_t> { return mend_media(write.db); });
}

}  // namespace parley::media
