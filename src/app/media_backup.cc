#include "app/media_backup.h"

#include <cstdio>

#include "app/media_objects.h"
#include "app/object_copy.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "media/stores/file_blob_store.h"
#include "media/stores/sqlite_blob_records.h"
#include "media/stores/sqlite_check.h"
#include "media/stores/sqlite_media_store.h"

namespace parley::app {

namespace {

using media::BlobStore;
using media::KnownBlob;

constexpr SteadyTime kNoHurry = SteadyTime::max();
constexpr std::size_t kAtOnce = 200;

struct Copied {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t failed = 0;
};

Task<Result<Copied>> copy_objects(media::BlobRecords& records, BlobStore& from, BlobStore& to) {
  Copied copied;
  std::optional<FileId> after;
  for (bool more = true; more;) {
    auto page = co_await records.scan_blobs(after, kAtOnce, kNoHurry);
    if (!page) co_return fail(std::move(page.error()));
    more = page->has_more && !page->items.empty();
    if (page->items.empty()) break;
    after = page->items.back().id;
    for (const KnownBlob& blob : page->items) {
      if (!blob.sealed || blob.deleted) continue;
      if (auto done = co_await copy_object(from, to, blob); !done) {
        if (done.error().kind == ErrorKind::kNoRoom) co_return fail(std::move(done.error()));
        std::fprintf(stderr, "parley: tenant %s, file %s: %s\n", blob.tenant.value.c_str(), blob.id.value.c_str(),
                     done.error().detail.c_str());
        ++copied.failed;
        continue;
      }
      ++copied.files;
      copied.bytes += blob.size;
    }
  }
  co_return copied;
}

Result<Copied> copy_all(const Settings& settings, const std::filesystem::path& into) {
  const std::filesystem::path from = settings.serve.data_dir / "media";
  if (auto done = media::backup_media_folder(from, into / media::kMediaDatabase); !done) return fail(done.error());
  if (auto done = media::leave_uploads_out(into); !done) return fail(done.error());
  const SystemClock clock;
  SecureRandom random;
  EventLoops loops(1);
  loops.start();
  auto records = media::SqliteBlobRecords::open(into, clock);
  auto source = MediaObjects::open(settings, loops, clock, random);
  auto target = media::FileBlobStore::open({.folder = into / "objects", .writer_threads = 1, .reader_threads = 1});
  Result<Copied> copied;
  if (!records || !source || !target) {
    copied = fail(!records ? records.error() : !source ? source.error() : target.error());
  } else {
    copied = run_on_loop(loops.at(0), copy_objects(**records, (*source)->store(), **target));
  }
  if (source) stop_and_wait(**source, loops.at(0));
  loops.stop();
  return copied;
}

}  // namespace

int backup_media(const Settings& settings, const std::filesystem::path& into) {
  const auto copied = copy_all(settings, into);
  if (!copied) {
    std::fprintf(stderr, "parley: media: %s\n", copied.error().detail.c_str());
    return 1;
  }
  std::printf("%s: %llu files, %llu bytes\n", into.c_str(), static_cast<unsigned long long>(copied->files),
              static_cast<unsigned long long>(copied->bytes));
  return copied->failed == 0 ? 0 : 1;
}

}  // namespace parley::app
