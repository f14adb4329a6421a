// MongoMediaStore: what media knows of files and uploads, in collections media_… of one MongoDB database, which any
// number of instances share (ADR 30). Writes of one tenant run one after another in an instance, and meet as write
// conflicts between instances, so that quotas are exact; the event log lies beside the data and is written with it.
// Made and owned by app/, which destroys it before the event loops that used it. open() fails (unavailable) when
// MongoDB cannot be reached, refuses us, or stands alone and so has no transactions.
#pragma once
#include <memory>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/mongo/group_writer.h"
#include "drivers/mongo/reader_pool.h"
#include "events/mongo_event_log.h"
#include "events/position.h"
#include "events/relay_lease.h"
#include "media/media_store.h"
#include "media/stores/mongo_writes.h"

namespace parley::media {

class MongoMediaStore final : public MediaStore {
 public:
  struct Options {
    mongo::ConnectionOptions connection;  // its size follows from the threads
    QuotaLimits limits;
    std::size_t reader_threads = 8;
    std::size_t reader_queue_limit = 1024;
    std::size_t writer_lanes = 4;
    std::size_t writer_queue_limit = 4096;
    std::size_t batch_limit = 64;
    events::MongoEventLog::Options log{};
    mongo::WriterObserver* observer = nullptr;
    bool prepare = true;  // collections, indexes and the log; a command that only looks needs none of them
  };
  // clock and random must outlive the store; random is used under a lock. Blocks: not on an event loop.
  static Result<std::unique_ptr<MongoMediaStore>> open(Options options, const Clock& clock, Random& random);
  ~MongoMediaStore() override;

  events::EventLog& event_log() { return log_; }
  // Of the relay that takes the log elsewhere; `holder` is of this process alone. It must go before the store.
  std::unique_ptr<events::RelayLease> make_relay_lease(std::string holder);
  std::size_t writes_queued() const { return writer_.queued(); }
  std::size_t reads_queued() const { return readers_.queued(); }
  // mongodb::find_problems(), on a reader's thread; long, so give it a long deadline.
  Task<Result<std::vector<std::string>>> check(SteadyTime deadline);

  Task<Result<Upload>> begin_upload(Upload upload, SteadyTime deadline) override;
  Task<Result<std::uint64_t>> reserve_more(ReserveMore command, SteadyTime deadline) override;
  Task<Result<Upload>> set_upload_size(TenantId tenant, FileId upload, std::uint64_t size,
                                       SteadyTime deadline) override;
  Task<Result<Upload>> add_part(PartArrived part, SteadyTime deadline) override;
  Task<Result<Upload>> get_upload(TenantId tenant, FileId upload, SteadyTime deadline) override;
  Task<Result<File>> finish_upload(FinishUpload command, std::vector<FileId> partials, SteadyTime deadline) override;
  Task<Result<bool>> abort_upload(TenantId tenant, FileId upload, SteadyTime deadline) override;

  Task<Result<File>> get_file(TenantId tenant, FileId file, SteadyTime deadline) override;
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
  // The random source that was given, for several threads.
  class SharedRandom final : public Random {
   public:
    explicit SharedRandom(Random& random) : random_(random) {}
    void fill(std::span<std::uint8_t> out) override {
      const std::lock_guard lock(mutex_);
      random_.fill(out);
    }

   private:
    Random& random_;
    std::mutex mutex_;
  };
  using Sweep = std::vector<FileId> (*)(mongodb::WriteContext&, WallTime, std::size_t);

  MongoMediaStore(std::unique_ptr<mongo::ClientPool> pool, const events::PositionCodec::Secret& secret,
                  const Options& options, const Clock& clock, Random& random);
  template <class T>
  Task<Result<T>> write(const std::string& lane, SteadyTime deadline,
                        std::move_only_function<Result<T>(mongodb::WriteContext&)> act);
  template <class T>
  Task<Result<T>> read(SteadyTime deadline, std::move_only_function<Result<T>(mongo::Database&)> answer);
  // In transactions of a few uploads each.
  Task<Result<std::vector<FileId>>> sweep(Sweep forget, WallTime before, std::size_t limit, SteadyTime deadline);
  Task<Result<std::size_t>> forget_complete(WallTime now, std::size_t limit, SteadyTime deadline);

  const std::unique_ptr<mongo::ClientPool> pool_;
  const QuotaLimits limits_;
  const Clock& clock_;
  SharedRandom random_;
  const events::PositionCodec positions_;
  const events::MongoEventCollections collections_{"media_"};
  events::CommitSignal signal_;
  mongo::ReaderPool readers_;
  mongo::GroupWriter writer_;
  events::MongoEventLog log_;
};

}  // namespace parley::media
