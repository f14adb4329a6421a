#include "app/move_files.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "app/mongo_engine.h"
#include "app/object_copy.h"
#include "app/s3_objects.h"
#include "base/run_on_loop.h"
#include "media/stores/mongo_transfer.h"
#include "media/stores/sqlite_media_store.h"
#include "media/stores/sqlite_transfer.h"

namespace parley::app {

using media::BlobStore;
using media::MongoMediaTransfer;
using media::SqliteMediaTransfer;
namespace transfer = media::transfer;

namespace {

constexpr SteadyTime kNoHurry = SteadyTime::max();
constexpr std::size_t kAtOnce = 1'000;

media::KnownBlob blob_of(const transfer::FileRecord& record) {
  media::KnownBlob blob;
  blob.id = record.file.id;
  blob.tenant = record.file.tenant;
  blob.sealed = true;
  blob.size = record.file.size;
  blob.sha256 = record.file.sha256;
  blob.thumbnails = record.file.thumbnails;
  return blob;
}

std::string name_of(const transfer::FileRecord& record) {
  return fmt::format("tenant {}, file {}", record.file.tenant.value, record.file.id.value);
}

std::string text_of(const transfer::MediaTotals& totals) {
  return fmt::format("{} files of {} bytes, {} uploads; checksum {}", totals.files, totals.bytes, totals.uploads,
                     totals.checksum.hex());
}

std::int64_t offset_of(const transfer::LogEnd& end) {
  return end.events.empty() ? 0 : end.events.back().event.offset.value;
}

bool is_absent(const Error& error) {
  return error.code == "not_our_file" || error.code == "not_our_database";
}

}  // namespace

Result<std::unique_ptr<MoveOfFiles>> MoveOfFiles::open(const Settings& settings, MoveSides sides) {
  auto made = std::unique_ptr<MoveOfFiles>(new MoveOfFiles(sides));
  made->loops_.start();
  const auto folder = settings.serve.data_dir / "media";
  const MovePlaces at{folder, mongo_connection_of_a_move(settings.mongodb), made->clock_, made->random_};
  std::error_code unknown;
  if (sides.to_engines && !std::filesystem::exists(folder / media::kMediaDatabase, unknown)) return nullptr;
  auto source = open_move_source<SqliteMediaTransfer, MongoMediaTransfer>(sides, at, made->source_);
  if (!source && !sides.to_engines && is_absent(source.error())) return nullptr;
  if (!source) return fail(std::move(source.error()));
  auto target = open_move_target<SqliteMediaTransfer, MongoMediaTransfer>(sides, at, made->target_);
  if (!target) return fail(std::move(target.error()));
  if (auto opened = made->open_objects(settings); !opened) return fail(std::move(opened.error()));
  const auto end = made->source_->log_end();
  if (!end) return fail(end.error());
  made->began_at_ = offset_of(*end);
  return made;
}

Result<> MoveOfFiles::open_objects(const Settings& settings) {
  auto folder = media::FileBlobStore::open({.folder = settings.serve.data_dir / "media" / "objects"});
  if (!folder) return fail(std::move(folder.error()));
  folder_ = std::move(*folder);
  if (settings.s3.endpoint.empty()) return {};
  auto bucket = S3Objects::open(settings.s3, loops_, clock_, random_);
  if (!bucket) return fail(std::move(bucket.error()));
  bucket_ = std::move(*bucket);
  from_ = sides_.to_engines ? static_cast<BlobStore*>(folder_.get()) : &bucket_->store();
  to_ = sides_.to_engines ? &bucket_->store() : static_cast<BlobStore*>(folder_.get());
  return {};
}

MoveOfFiles::~MoveOfFiles() {
  if (bucket_) stop_and_wait(*bucket_, loops_.at(0));
  loops_.stop();
}

namespace {

Task<Result<>> list_all(BlobStore& objects, std::unordered_map<std::string, std::uint64_t>& sealed) {
  std::optional<FileId> after;
  for (bool more = true; more;) {
    auto page = co_await objects.list(after, kAtOnce, kNoHurry);
    if (!page) co_return fail(std::move(page.error()));
    for (const media::StoredBlob& blob : page->items) {
      if (blob.sealed) sealed.emplace(blob.id.value, blob.size);
    }
    more = page->has_more && !page->items.empty();
    if (!page->items.empty()) after = page->items.back().id;
  }
  co_return Result<>{};
}

}  // namespace

Result<MoveOfFiles::Objects> MoveOfFiles::list(BlobStore& objects) {
  Objects found;
  auto listed = run_on_loop(loops_.at(0), list_all(objects, found.sealed));
  if (!listed) return fail(std::move(listed.error()));
  return found;
}

Result<> MoveOfFiles::each_file(const std::function<Result<>(const transfer::FileRecord&)>& act) {
  KeyRange<FileId> range{{}, {}, kAtOnce};
  for (;;) {
    const auto files = source_->files(range);
    if (!files) return fail(files.error());
    for (const transfer::FileRecord& record : *files) {
      if (auto done = act(record); !done) return done;
    }
    if (files->size() < kAtOnce) return {};
    range.after = files->back().file.id;
  }
}

Result<> MoveOfFiles::again_if_begun(const FileId& id, const std::function<Task<Result<>>()>& make_copy) {
  auto copied = run_on_loop(loops_.at(0), make_copy());
  if (copied || copied.error().code != "blob_exists") return copied;
  auto cleared = run_on_loop(loops_.at(0), to_->remove(id, kNoHurry));
  if (!cleared) return cleared;
  return run_on_loop(loops_.at(0), make_copy());
}

Result<> MoveOfFiles::copy_file(const transfer::FileRecord& record) {
  auto copied = again_if_begun(record.file.id, [&] { return copy_object(*from_, *to_, blob_of(record)); });
  if (copied) copied = run_on_loop(loops_.at(0), read_over(*to_, blob_of(record)));
  if (copied) {
    ++files_copied_;
    bytes_copied_ += record.file.size;
    return {};
  }
  if (copied.error().kind != ErrorKind::kNotFound) {
    return fail(copied.error().kind, copied.error().code, name_of(record) + ": " + copied.error().detail);
  }
  // Deleted ones go at any time.
  if (record.deleted_at) return {};
  ++lost_;
  std::fprintf(stderr, "media: %s: there are no bytes of it\n", name_of(record).c_str());
  return {};
}

// They may have been made since, or the move was killed before it came to them.
Result<> MoveOfFiles::copy_thumbnails(const transfer::FileRecord& record) {
  if (record.file.thumbnails.empty()) return {};
  auto copied = run_on_loop(loops_.at(0), complete_thumbnails(*from_, *to_, blob_of(record)));
  if (copied || copied.error().kind == ErrorKind::kNotFound) return {};
  return copied;
}

Result<> MoveOfFiles::copy_bytes() {
  const auto there = list(*to_);
  if (!there) return fail(there.error());
  auto next_line = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  return each_file([&](const transfer::FileRecord& record) -> Result<> {
    const auto at = there->sealed.find(record.file.id.value);
    if (at != there->sealed.end() && at->second == record.file.size) return copy_thumbnails(record);
    if (const auto now = std::chrono::steady_clock::now(); now >= next_line) {
      std::fprintf(stderr, "media: %lld files copied, %llu bytes\n", static_cast<long long>(files_copied_),
                   static_cast<unsigned long long>(bytes_copied_));
      next_line = now + std::chrono::seconds(2);
    }
    return copy_file(record);
  });
}

Result<> MoveOfFiles::copy_uploads() {
  const auto uploads = source_->uploads({});
  if (!uploads) return fail(uploads.error());
  for (const auto& [upload] : *uploads) {
    if (upload.complete) continue;
    const auto has_bytes = has_bytes_of(upload);
    if (!has_bytes) return fail(has_bytes.error());
    if (!*has_bytes) continue;
    auto done = again_if_begun(upload.id, [&] { return copy_ranges(*from_, *to_, upload); });
    if (!done) {
      return fail(done.error().kind, done.error().code,
                  fmt::format("tenant {}, upload {}: {}", upload.tenant.value, upload.id.value, done.error().detail));
    }
  }
  return {};
}

// Looked at before anything in the target is cleared for it: where both sides have one bucket, that would be the only
// copy.
Result<bool> MoveOfFiles::has_bytes_of(const media::Upload& upload) {
  const auto here = run_on_loop(loops_.at(0), from_->open(upload.id, kNoHurry));
  if (here) return true;
  if (here.error().kind != ErrorKind::kNotFound) return fail(here.error());
  const auto there = run_on_loop(loops_.at(0), to_->open(upload.id, kNoHurry));
  if (there || upload.present.empty()) return false;
  return fail(there.error().kind, there.error().code,
              fmt::format("tenant {}, upload {}: {}", upload.tenant.value, upload.id.value, there.error().detail));
}

Result<> MoveOfFiles::copy() {
  if (auto claimed = claim_target(*source_, *target_); !claimed) return claimed;
  if (has_bytes_to_move()) {
    if (auto copied = copy_bytes(); !copied) return copied;
    if (sides_.alone) {
      if (auto copied = copy_uploads(); !copied) return copied;
    }
  }
  const auto written = transfer::copy(*source_, *target_);
  if (!written) return fail(written.error());
  std::printf(
      "media: copied: %lld files, %llu bytes, %lld files without bytes; written: %lld records of files and uploads\n",
      static_cast<long long>(files_copied_), static_cast<unsigned long long>(bytes_copied_),
      static_cast<long long>(lost_), static_cast<long long>(*written));
  return {};
}

Result<bool> MoveOfFiles::verify(bool deep) {
  const auto compared = transfer::compare(*source_, *target_);
  if (!compared) return fail(compared.error());
  std::printf("media: source: %s\n", text_of(compared->source).c_str());
  std::printf("media: target: %s\n", text_of(compared->target).c_str());
  for (const std::string& difference : compared->differences) std::printf("difference: %s\n", difference.c_str());
  const auto same = has_bytes_to_move() ? verify_bytes(deep) : verify_bytes_that_stay();
  if (!same) return same;
  return compared->equal() && *same;
}

// Where S3_ENDPOINT is not set, they are in the folder, whichever side is the source.
Result<bool> MoveOfFiles::verify_bytes_that_stay() {
  const auto here = list(*folder_);
  if (!here) return fail(here.error());
  bool equal = true;
  auto done = each_file([&](const transfer::FileRecord& record) -> Result<> {
    const auto at = here->sealed.find(record.file.id.value);
    if (record.deleted_at || (at != here->sealed.end() && at->second == record.file.size)) return {};
    equal = equal && sides_.accept_lost;
    std::printf("problem: %s: its bytes are not in media/objects of the data folder; S3_ENDPOINT is not set\n",
                name_of(record).c_str());
    return {};
  });
  if (!done) return fail(std::move(done.error()));
  return equal;
}

Result<bool> MoveOfFiles::verify_bytes(bool deep) {
  const auto there = list(*to_);
  if (!there) return fail(there.error());
  const auto here = list(*from_);
  if (!here) return fail(here.error());
  bool equal = true;
  auto done = each_file([&](const transfer::FileRecord& record) -> Result<> {
    if (record.deleted_at) return {};
    const auto at = there->sealed.find(record.file.id.value);
    const bool is_there = at != there->sealed.end() && at->second == record.file.size;
    if (!is_there && !here->sealed.contains(record.file.id.value)) {
      equal = equal && sides_.accept_lost;
      std::printf("problem: %s: neither side has its bytes\n", name_of(record).c_str());
      return {};
    }
    auto well = Result<>();
    if (deep && is_there) well = run_on_loop(loops_.at(0), read_over(*to_, blob_of(record)));
    if (is_there && well) return {};
    equal = false;
    std::printf("difference: %s: %s\n", name_of(record).c_str(),
                is_there ? well.error().detail.c_str() : "its bytes are not in the target");
    return {};
  });
  if (!done) return fail(std::move(done.error()));
  return equal;
}

Result<bool> MoveOfFiles::is_finished() {
  const auto mark = target_->mark();
  if (!mark) return fail(mark.error());
  return *mark && (*mark)->is_done();
}

Result<> MoveOfFiles::expect_unchanged() {
  const auto end = source_->log_end();
  if (!end) return fail(end.error());
  if (offset_of(*end) != began_at_) return source_changed();
  return {};
}

Result<> MoveOfFiles::finish() {
  const auto end = source_->log_end();
  if (!end) return fail(end.error());
  if (offset_of(*end) != began_at_) return source_changed();
  return target_->finish(*end);
}

}  // namespace parley::app
