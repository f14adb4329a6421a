// SqliteMediaStore: what media knows of files and uploads, in one SQLite database in the role's folder (DIR/media),
// which it locks. Writes go through one thread that commits in groups, so that quotas are exact; reads run on a small
// pool. Made and owned by app/, which destroys it before the event loops that used it. open() fails (unavailable) when
// the folder is in use, is not ours, or was written by a newer program.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/sqlite/folder.h"
#include "drivers/sqlite/group_writer.h"
#include "drivers/sqlite/reader_pool.h"
#include "events/position.h"
#include "events/sqlite_event_log.h"
#include "media/media_store.h"
#include "media/stores/recent_files.h"
#include "media/stores/sqlite_check.h"
#include "media/stores/sqlite_writes.h"

namespace parley::media {

inline constexpr const char* kMediaDatabase = "media.db";

class SqliteMediaStore final : public MediaStore {
 public:
  struct Options {
    std::filesystem::path folder;
    QuotaLimits limits;
    std::size_t reader_threads = 2;
    std::size_t reader_queue_limit = 1024;
    std::size_t writer_queue_limit = 4096;
    std::size_t batch_limit = 128;
    std::size_t max_wal_bytes = 64 * 1024 * 1024;
    sqlite::WriterObserver* observer = nullptr;
  };
  // clock and random must outlive the store; random is used on the writer's thread only.
  static Result<std::unique_ptr<SqliteMediaStore>> open(Options options, const Clock& clock, Random& random);

  events::EventLog& event_log() { return log_; }
  std::size_t writes_queued() const { return writer_.queued(); }
  std::size_t reads_queued() const { return readers_.queued(); }
  // Whole-store work on a reader's thread; long, so give it a long deadline.
  Task<Result<CheckReport>> check(SteadyTime deadline);
  // On the writer's thread: mend_media() of sqlite_check.h.
  Task<Result<std::int64_t>> mend(SteadyTime deadline);

  Task<Result<Upload>> begin_upload(Upload upload, SteadyTime deadline) override;
  Task<Result<std::uint64_t>> reserve_more(ReserveMore command, SteadyTime deadline) override;
  Task<Result<Upload>> set_upload_size(TenantId tenant, FileId upload, std::uint64_t size,
                                       SteadyTime deadline) override;
  Task<Result<Upload>> add_part(PartArrived part, SteadyTime deadline) override;
  Task<Result<Upload>> get_upload(TenantId tenant, FileId upload, SteadyTime deadline) override;
  Task<Result<File>> finish_upload(FinishUpload command, std::vector<FileId> partials, SteadyTime deadline) override;
  Task<Result<bool>> abort_upload(TenantId tenant, FileId upload, SteadyTime deadline) override;

  Task<Result<File>> get_file(TenantId tenant, FileId file, SteadyTime deadline) override;
  Task<Result<File>> get_own_file(TenantId tenant, UserId owner, FileId file, SteadyTime deadline) override;
  Task<Result<std::vector<File>>> get_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) override;
  Task<Result<Page<File>>> list_files(ListFiles query, SteadyTime deadline) override;
  Task<Result<File>> delete_file(TenantId tenant, FileId file, UserId by, SteadyTime deadline) override;
  Task<Result<>> set_picture(FilePicture picture, SteadyTime deadline) override;
  Task<Result<Usage>> get_usage(TenantId tenant, UserId user, SteadyTime deadline) override;

  Task<Result<std::vector<Upload>>> uploads_to_finish(std::size_t limit, SteadyTime deadline) override;
  Task<Result<std::vector<FileId>>> forget_expired_uploads(WallTime now, std::size_t limit,
                                                           SteadyTime deadline) override;
  Task<Result<std::vector<FileId>>> forget_whole_uploads(WallTime began_before, std::size_t limit,
                                                         SteadyTime deadline) override;
  Task<Result<std::vector<FileId>>> files_to_purge(WallTime before, std::size_t limit, SteadyTime deadline) override;
  Task<Result<>> forget_purged(std::vector<FileId> files, SteadyTime deadline) override;
  Task<Result<Page<KnownBlob>>> scan_blobs(std::optional<FileId> after, std::size_t limit,
                                           SteadyTime deadline) override;
  Task<Result<std::vector<KnownBlob>>> find_blobs(std::vector<FileId> ids, SteadyTime deadline) override;

  Task<Result<>> ping(SteadyTime deadline) override;

 private:
  SqliteMediaStore(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection,
                   const events::PositionCodec::Secret& secret, const Options& options, const Clock& clock,
                   Random& random);

  // On the writer's thread, after a commit or a rollback.
  void forget_changed();
  template <class T>
  Task<Result<T>> write(SteadyTime deadline, std::move_only_function<Result<T>(WriteContext&)> act);
  template <class T>
  Task<Result<T>> read(SteadyTime deadline, std::move_only_function<Result<T>(sqlite::Connection&)> answer);
  // In the database, to be remembered.
  Task<Result<File>> look_up_file(TenantId tenant, FileId file, SteadyTime deadline);

  const sqlite::LockedFolder folder_;
  const QuotaLimits limits_;
  const Clock& clock_;
  Random& random_;
  const events::PositionCodec positions_;
  events::CommitSignal signal_;
  RecentFiles recent_;
  std::vector<FileId> changed_;  // files that the transaction under way changes; the writer's thread alone
  sqlite::ReaderPool readers_;
  sqlite::GroupWriter writer_;
  events::SqliteEventLog log_;
};

}  // namespace parley::media
