#include "media/stores/mongo_media_store.h"

#include "events/mongo_move_mark.h"
#include "events/mongo_relay_lease.h"
#include "media/stores/mongo_reads.h"
#include "media/stores/mongo_rows.h"
#include "media/stores/mongo_upload_rows.h"

namespace parley::media {

namespace {

using mongo::Database;
using mongodb::WriteContext;

constexpr std::size_t kOtherConnections = 3;      // the look for others' events, the register of sessions, and start-up
constexpr std::chrono::seconds kPrepareTime{60};  // indexes of a large database take their time, once
constexpr std::size_t kSweptAtOnce = 50;
const std::string kSweepLane = "sweep";

}  // namespace

Result<std::unique_ptr<MongoMediaStore>> MongoMediaStore::open(Options options, const Clock& clock, Random& random) {
  options.connection.size = options.reader_threads + options.writer_lanes + kOtherConnections;
  auto pool = mongo::ClientPool::open(options.connection, clock);
  if (!pool) return fail(std::move(pool.error()));
  if (auto well = (*pool)->check_server(); !well) return fail(std::move(well.error()));
  events::PositionCodec::Secret secret{};
  const events::MongoEventCollections collections("media_");
  Result<> not_being_filled;
  const auto prepare = [&](Database& db) {
    mongodb::prepare_media(db);
    events::prepare_events(db, collections);
    secret = events::load_position_secret(db, collections, random);
    not_being_filled = events::expect_no_move(db, collections);
  };
  if (options.prepare) {
    auto prepared = mongo::with_database(**pool, clock.steady_now() + kPrepareTime, prepare);
    if (!prepared) return fail(std::move(prepared.error()));
    if (!not_being_filled) return fail(std::move(not_being_filled.error()));
  }
  return std::unique_ptr<MongoMediaStore>(new MongoMediaStore(std::move(*pool), secret, options, clock, random));
}

MongoMediaStore::MongoMediaStore(std::unique_ptr<mongo::ClientPool> pool, const events::PositionCodec::Secret& secret,
                                 const Options& options, const Clock& clock, Random& random)
    : pool_(std::move(pool)),
      limits_(options.limits),
      clock_(clock),
      random_(random),
      positions_(secret),
      readers_(
          *pool_,
          {.thread_name = "media-read", .threads = options.reader_threads, .queue_limit = options.reader_queue_limit}),
      writer_(*pool_,
              {.thread_name = "media-write",
               .lanes = options.writer_lanes,
               .batch_limit = options.batch_limit,
               .queue_limit = options.writer_queue_limit,
               .observer = options.observer,
               .make_companion = [this] { return std::make_unique<events::MongoEventAppender>(collections_, signal_); },
               .sessions = {.is_kept = options.prepare}}),
      log_(*pool_, readers_, signal_, collections_, mongodb::resolve_file_events, positions_, options.log) {}

MongoMediaStore::~MongoMediaStore() = default;

std::unique_ptr<events::RelayLease> MongoMediaStore::make_relay_lease(std::string holder) {
  return std::make_unique<events::MongoRelayLease>(readers_, collections_, std::move(holder), clock_);
}

template <class T>
Task<Result<T>> MongoMediaStore::write(const std::string& lane, SteadyTime deadline,
                                       std::move_only_function<Result<T>(WriteContext&)> act) {
  return writer_.run<T>(lane, deadline, [this, act = std::move(act)](mongo::GroupTransaction& db) mutable {
    WriteContext context{db, limits_, clock_.wall_now(), random_};
    return act(context);
  });
}

template <class T>
Task<Result<T>> MongoMediaStore::read(SteadyTime deadline, std::move_only_function<Result<T>(Database&)> answer) {
  return readers_.run<T>(deadline, std::move(answer));
}

// The rest only names which function does it.
using Store = MongoMediaStore;

Task<Result<Upload>> Store::begin_upload(Upload upload, SteadyTime deadline) {
  const std::string lane = upload.tenant.value;
  return write<Upload>(lane, deadline, [upload = std::move(upload)](WriteContext& write) {
    mongodb::MongoUploadRows rows(write);
    return media::begin_upload(rows, write.limits, upload);
  });
}
Task<Result<std::uint64_t>> Store::reserve_more(ReserveMore command, SteadyTime deadline) {
  const std::string lane = command.tenant.value;
  return write<std::uint64_t>(lane, deadline, [command = std::move(command)](WriteContext& write) {
    mongodb::MongoUploadRows rows(write);
    return media::reserve_more(rows, write.limits, command);
  });
}
Task<Result<Upload>> Store::set_upload_size(TenantId tenant, FileId upload, std::uint64_t size, SteadyTime deadline) {
  const std::string lane = tenant.value;
  return write<Upload>(lane, deadline,
                       [tenant = std::move(tenant), upload = std::move(upload), size](WriteContext& write) {
                         mongodb::MongoUploadRows rows(write);
                         return media::set_upload_size(rows, write.limits, tenant, upload, size);
                       });
}
Task<Result<Upload>> Store::add_part(PartArrived part, SteadyTime deadline) {
  const std::string lane = part.tenant.value;
  return write<Upload>(lane, deadline, [part = std::move(part)](WriteContext& write) {
    mongodb::MongoUploadRows rows(write);
    return media::add_part(rows, part);
  });
}
Task<Result<Upload>> Store::get_upload(TenantId tenant, FileId upload, SteadyTime deadline) {
  return read<Upload>(deadline, [tenant = std::move(tenant), id = std::move(upload)](Database& db) -> Result<Upload> {
    auto found = mongodb::find_upload(db, tenant, id);
    if (!found) return not_found("upload");
    return std::move(*found);
  });
}
Task<Result<File>> Store::finish_upload(FinishUpload command, std::vector<FileId> partials, SteadyTime deadline) {
  const std::string lane = command.tenant.value;
  return write<File>(lane, deadline,
                     [command = std::move(command), partials = std::move(partials)](WriteContext& write) {
                       mongodb::MongoUploadRows rows(write);
                       return media::finish_upload(rows, write.limits, write.now, command, partials);
                     });
}
Task<Result<bool>> Store::abort_upload(TenantId tenant, FileId upload, SteadyTime deadline) {
  const std::string lane = tenant.value;
  return write<bool>(lane, deadline, [tenant = std::move(tenant), upload = std::move(upload)](WriteContext& write) {
    mongodb::MongoUploadRows rows(write);
    return media::abort_upload(rows, tenant, upload);
  });
}

Task<Result<File>> Store::get_file(TenantId tenant, FileId file, SteadyTime deadline) {
  return read<File>(deadline, [tenant = std::move(tenant), id = std::move(file)](Database& db) -> Result<File> {
    auto row = mongodb::find_file(db, tenant, id);
    if (!row) return not_found("file");
    return std::move(*row);
  });
}
Task<Result<std::vector<File>>> Store::get_files(TenantId tenant, std::vector<FileId> files, SteadyTime deadline) {
  CHECK(files.size() <= kMaxFilesAtOnce);
  return read<std::vector<File>>(
      deadline, [tenant = std::move(tenant), files = std::move(files)](Database& db) -> Result<std::vector<File>> {
        return mongodb::get_files(db, tenant, files);
      });
}
Task<Result<Page<File>>> Store::list_files(ListFiles query, SteadyTime deadline) {
  return read<Page<File>>(deadline, [query = std::move(query)](Database& db) -> Result<Page<File>> {
    return mongodb::list_files(db, query);
  });
}
Task<Result<File>> Store::delete_file(TenantId tenant, FileId file, UserId by, SteadyTime deadline) {
  const std::string lane = tenant.value;
  return write<File>(lane, deadline,
                     [tenant = std::move(tenant), file = std::move(file), by = std::move(by)](WriteContext& write) {
                       return mongodb::delete_file(write, tenant, file, by);
                     });
}
Task<Result<>> Store::set_picture(FilePicture picture, SteadyTime deadline) {
  const std::string lane = picture.tenant.value;
  return write<void>(lane, deadline, [picture = std::move(picture)](WriteContext& write) {
    return mongodb::set_picture(write, picture);
  });
}
Task<Result<Usage>> Store::get_usage(TenantId tenant, UserId user, SteadyTime deadline) {
  return read<Usage>(deadline,
                     [this, tenant = std::move(tenant), user = std::move(user)](Database& db) -> Result<Usage> {
                       return mongodb::Account(db, tenant, user).usage(limits_);
                     });
}

Task<Result<std::vector<Upload>>> Store::uploads_to_finish(std::size_t limit, SteadyTime deadline) {
  return read<std::vector<Upload>>(
      deadline, [limit](Database& db) -> Result<std::vector<Upload>> { return mongodb::uploads_to_finish(db, limit); });
}

Task<Result<std::vector<FileId>>> Store::sweep(Sweep forget, WallTime before, std::size_t limit, SteadyTime deadline) {
  std::vector<FileId> all;
  while (all.size() < limit) {
    const std::size_t wanted = std::min(kSweptAtOnce, limit - all.size());
    auto some = co_await write<std::vector<FileId>>(
        kSweepLane, deadline, [forget, before, wanted](WriteContext& write) -> Result<std::vector<FileId>> {
          return forget(write, before, wanted);
        });
    if (!some && all.empty()) co_return fail(std::move(some.error()));
    if (!some) break;  // those that are forgotten are the caller's to clear away
    std::ranges::move(*some, std::back_inserter(all));
    if (some->size() < wanted) break;
  }
  co_return all;
}

Task<Result<std::size_t>> Store::forget_complete(WallTime now, std::size_t limit, SteadyTime deadline) {
  return write<std::size_t>(kSweepLane, deadline, [now, limit](WriteContext& write) -> Result<std::size_t> {
    return mongodb::forget_complete_uploads(write, now, limit);
  });
}

Task<Result<std::vector<FileId>>> Store::forget_expired_uploads(WallTime now, std::size_t limit, SteadyTime deadline) {
  if (auto done = co_await forget_complete(now, limit, deadline); !done) co_return fail(std::move(done.error()));
  co_return co_await sweep(mongodb::forget_expired_uploads, now, limit, deadline);
}
Task<Result<std::vector<FileId>>> Store::forget_whole_uploads(WallTime began_before, std::size_t limit,
                                                              SteadyTime deadline) {
  return sweep(mongodb::forget_whole_uploads, began_before, limit, deadline);
}
Task<Result<std::vector<FileId>>> Store::files_to_purge(WallTime before, std::size_t limit, SteadyTime deadline) {
  return read<std::vector<FileId>>(deadline, [before, limit](Database& db) -> Result<std::vector<FileId>> {
    return mongodb::files_to_purge(db, before, limit);
  });
}
Task<Result<>> Store::forget_purged(std::vector<FileId> files, SteadyTime deadline) {
  return write<void>(kSweepLane, deadline, [files = std::move(files)](WriteContext& write) -> Result<> {
    mongodb::forget_purged(write, files);
    return {};
  });
}
Task<Result<Page<KnownBlob>>> Store::scan_blobs(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) {
  return read<Page<KnownBlob>>(deadline, [after = std::move(after), limit](Database& db) -> Result<Page<KnownBlob>> {
    return mongodb::scan_blobs(db, after, limit);
  });
}
Task<Result<std::vector<KnownBlob>>> Store::find_blobs(std::vector<FileId> ids, SteadyTime deadline) {
  return read<std::vector<KnownBlob>>(deadline, [ids = std::move(ids)](Database& db) -> Result<std::vector<KnownBlob>> {
    return mongodb::find_blobs(db, ids);
  });
}

Task<Result<>> Store::ping(SteadyTime deadline) {
  auto head = co_await log_.head(deadline);
  if (!head) co_return fail(std::move(head.error()));
  co_return Result<>{};
}

Task<Result<std::vector<std::string>>> Store::check(SteadyTime deadline) {
  return read<std::vector<std::string>>(
      deadline, [](Database& db) -> Result<std::vector<std::string>> { return mongodb::find_problems(db); });
}

}  // namespace parley::media
