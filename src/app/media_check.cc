#include "app/media_check.h"

#include <cstdio>
#include <filesystem>

#include "app/media_objects.h"
#include "app/mongo_engine.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "base/text.h"
#include "media/json_encoding.h"
#include "media/object_audit.h"
#include "media/stores/mongo_media_store.h"
#include "media/stores/sqlite_blob_records.h"
#include "media/stores/sqlite_check.h"
#include "media/stores/sqlite_media_store.h"

namespace parley::app {

namespace {

namespace fs = std::filesystem;
using media::ObjectFault;
using media::ObjectFinding;
using media::ObjectReport;

constexpr std::size_t kMostPrinted = 100;  // of a kind
constexpr SteadyTime kNoHurry = SteadyTime::max();
constexpr std::chrono::seconds kStoreTime{60};  // for one question to MongoDB, of all files maybe

unsigned long long number(std::uint64_t value) {
  return value;
}

int failed(const Error& error) {
  std::fprintf(stderr, "parley: media: %s\n", error.detail.c_str());
  return 1;
}

std::string names(const std::vector<media::ThumbnailSize>& sizes) {
  std::string text;
  for (const media::ThumbnailSize size : sizes) text += (text.empty() ? "" : ", ") + std::string(to_string(size));
  return text;
}

std::string describe(const ObjectFinding& finding) {
  const std::string size = std::to_string(finding.size);
  const std::string should = std::to_string(finding.blob.size);
  switch (finding.fault) {
    case ObjectFault::kMissing:
      return "its object is missing (" + should + " bytes)";
    case ObjectFault::kWrongSize:
      return "its object has " + size + " bytes, not " + should;
    case ObjectFault::kWrongBytes:
      return "its object is not what was stored: another SHA-256";
    case ObjectFault::kUnreadable:
      return "its object cannot be read";
    case ObjectFault::kUploadIncomplete:
      return "of an upload under way, " + should + " bytes were on disk and " + size + " are";
    case ObjectFault::kThumbnailMissing:
      break;
  }
  return "of its thumbnails (" + names(finding.blob.thumbnails) + ") there are only: " + names(finding.thumbnails);
}

// What the check stands on: the folder, one loop to work on, and the ports as far as they are wanted.
class Checked {
 public:
  Checked(const Settings& settings, const MediaCheckOptions& options)
      : settings_(settings), options_(options), folder_(settings.serve.data_dir / "media") {
    loops_.start();
  }
  ~Checked() {
    if (objects_) stop_and_wait(*objects_, loops_.at(0));
    records_.reset();
    store_.reset();
    shared_.reset();
    loops_.stop();
  }

  // Prints what was found. Nullopt: it could not be looked at, which has been said.
  std::optional<std::size_t> look();
  int repair();

 private:
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  bool is_in_mongodb() const { return !settings_.mongodb.uri.empty(); }
  // What the store says of itself: how many problems.
  std::optional<std::size_t> look_at_folder();
  std::optional<std::size_t> look_at_mongodb();
  Result<> open_mongodb();
  bool has_objects() const;
  Result<> open_objects();
  Result<ObjectReport> audit_all();
  Result<ObjectReport> audit(media::BlobRecords& records, bool nobody_uploads, bool read_bytes);
  void print(const ObjectReport& report) const;
  Result<> remove_orphans();
  Result<> forget_thumbnails(const std::vector<ObjectFinding>& findings);

  const Settings& settings_;
  const MediaCheckOptions& options_;
  const fs::path folder_;
  SystemClock clock_;
  SecureRandom random_;
  EventLoops loops_{1};
  std::unique_ptr<media::SqliteMediaStore> store_;  // while mending
  std::unique_ptr<media::MongoMediaStore> shared_;  // in MongoDB
  std::unique_ptr<media::SqliteBlobRecords> records_;
  std::unique_ptr<MediaObjects> objects_;
};

// A copy of the metadata alone has no objects, and gets no folder for them.
bool Checked::has_objects() const {
  std::error_code error;
  return !settings_.s3.endpoint.empty() || fs::is_directory(folder_ / "objects", error);
}

Result<> Checked::open_objects() {
  if (!has_objects()) {
    return unavailable("folder_unusable", "there is no folder " + (folder_ / "objects").string());
  }
  if (objects_) return {};
  auto objects = MediaObjects::open(settings_, loops_, clock_, random_);
  if (!objects) return fail(std::move(objects.error()));
  objects_ = std::move(*objects);
  return {};
}

Result<ObjectReport> Checked::audit(media::BlobRecords& records, bool nobody_uploads, bool read_bytes) {
  media::ObjectAudit::Settings settings{.read_bytes = read_bytes};
  if (nobody_uploads) settings.safe_age = {};
  media::ObjectAudit audit(records, objects_->store(), clock_, settings);
  return wait(audit.run());
}

void Checked::print(const ObjectReport& report) const {
  std::printf("media: %llu objects, %llu bytes%s\n", number(report.objects), number(report.bytes),
              options_.read_bytes ? ", all of them read" : "");
  if (report.too_young > 0) {
    std::printf("media: %llu more objects are too young to tell whether they belong to an upload\n",
                number(report.too_young));
  }
  for (std::size_t i = 0; i < std::min(report.listed.size(), kMostPrinted); ++i) {
    const ObjectFinding& finding = report.listed[i];
    std::printf("problem: media, tenant %s, file %s: %s\n", finding.blob.tenant.value.c_str(),
                finding.blob.id.value.c_str(), describe(finding).c_str());
  }
  for (std::size_t i = 0; i < std::min(report.listed_orphans.size(), kMostPrinted); ++i) {
    const media::StoredBlob& orphan = report.listed_orphans[i];
    std::printf("problem: media, object %s (%llu bytes, of %s): it belongs to no file and no upload\n",
                orphan.id.value.c_str(), number(orphan.size), format_rfc3339(orphan.modified_at).c_str());
  }
  if (std::max(report.findings, report.orphans) > kMostPrinted) {
    std::printf("problem: media, %llu objects are not as they should be and %llu belong to nobody, in all\n",
                number(report.findings), number(report.orphans));
  }
}

std::optional<std::size_t> Checked::look_at_folder() {
  const auto report = media::check_media_folder(folder_);
  if (!report) {
    failed(report.error());
    return std::nullopt;
  }
  std::printf("media: %lld files, %lld deleted, %lld uploads under way, %lld events\n",
              static_cast<long long>(report->files), static_cast<long long>(report->deleted_files),
              static_cast<long long>(report->uploads), static_cast<long long>(report->events));
  for (const std::string& problem : report->problems) std::printf("problem: media, %s\n", problem.c_str());
  if (report->problems.size() == sqlite::kMaxProblems) std::puts("problem: media, and perhaps more; the list is cut");
  return report->problems.size();
}

Result<> Checked::open_mongodb() {
  if (shared_) return {};
  media::MongoMediaStore::Options options{
      .connection = mongo_connection(settings_.mongodb), .reader_threads = 2, .writer_lanes = 1, .prepare = false};
  options.connection.timeout = std::max<std::chrono::milliseconds>(options.connection.timeout, kStoreTime);
  auto store = media::MongoMediaStore::open(options, clock_, random_);
  if (!store) return fail(std::move(store.error()));
  shared_ = std::move(*store);
  return {};
}

std::optional<std::size_t> Checked::look_at_mongodb() {
  if (auto opened = open_mongodb(); !opened) {
    failed(opened.error());
    return std::nullopt;
  }
  std::puts("media: its store is in MongoDB (MONGODB_URI)");
  if (has_media(settings_)) std::puts("media: the store of the folder, which is not in use, is not looked at");
  const auto problems = wait(shared_->check(kNoHurry));
  if (!problems) {
    failed(problems.error());
    return std::nullopt;
  }
  for (std::size_t i = 0; i < std::min(problems->size(), kMostPrinted); ++i) {
    std::printf("problem: media, %s\n", (*problems)[i].c_str());
  }
  if (problems->size() > kMostPrinted) std::puts("problem: media, and more; the list is cut");
  return problems->size();
}

Result<ObjectReport> Checked::audit_all() {
  if (auto opened = open_objects(); !opened) return fail(std::move(opened.error()));
  if (shared_) return audit(*shared_, false, options_.read_bytes);
  if (store_) return audit(*store_, true, options_.read_bytes);
  auto records = media::SqliteBlobRecords::open(folder_, clock_);
  if (!records) return fail(std::move(records.error()));
  records_ = std::move(*records);
  return audit(*records_, false, options_.read_bytes);
}

std::optional<std::size_t> Checked::look() {
  const auto problems = is_in_mongodb() ? look_at_mongodb() : look_at_folder();
  if (!problems) return std::nullopt;
  if (shared_ && !has_objects()) {
    std::puts("media: the bytes of files are elsewhere (no S3_ENDPOINT, and none in this folder), and not looked at");
    return *problems;
  }
  const auto objects = audit_all();
  if (!objects) {
    failed(objects.error());
    return std::nullopt;
  }
  print(*objects);
  return *problems + objects->findings + objects->orphans;
}

// Round after round, for each lists a bounded number.
Result<> Checked::remove_orphans() {
  for (std::uint64_t removed = 0;;) {
    auto report = audit(*store_, true, false);
    if (!report) return fail(std::move(report.error()));
    if (!report->are_orphans_credible()) {
      std::puts(
          "media: most objects belong to nobody: is this the right media.db, or one from an old backup? None of them "
          "is\n"
          "removed");
      return forget_thumbnails(report->listed);
    }
    for (const media::StoredBlob& orphan : report->listed_orphans) {
      if (auto done = wait(objects_->store().remove(orphan.id, kNoHurry)); !done) return done;
      ++removed;
    }
    if (report->orphans > report->listed_orphans.size()) continue;
    if (removed > 0) std::printf("mended: media, %llu objects that belonged to nobody are removed\n", number(removed));
    return forget_thumbnails(report->listed);
  }
}

Result<> Checked::forget_thumbnails(const std::vector<ObjectFinding>& findings) {
  std::uint64_t forgotten = 0;
  for (const ObjectFinding& finding : findings) {
    if (finding.fault != ObjectFault::kThumbnailMissing) continue;
    const media::KnownBlob& blob = finding.blob;
    auto done = wait(store_->set_picture({blob.tenant, blob.id, blob.image, finding.thumbnails}, kNoHurry));
    if (!done) return done;
    ++forgotten;
  }
  if (forgotten > 0) {
    std::printf("mended: media, %llu files no longer name thumbnails that are missing\n", number(forgotten));
  }
  return {};
}

int Checked::repair() {
  auto store = media::SqliteMediaStore::open({.folder = folder_}, clock_, random_);
  if (!store && store.error().code == "folder_locked") {
    std::puts(
        "media: a server runs on this folder: it removes objects that belong to nobody by itself. To mend the rest,\n"
        "stop it and run `parley check --repair` again");
    return 1;
  }
  if (!store) return failed(store.error());
  store_ = std::move(*store);
  const auto mended = wait(store_->mend(kNoHurry));
  if (!mended) return failed(mended.error());
  if (*mended > 0) std::printf("mended: media, %lld rows of quotas and uploads\n", static_cast<long long>(*mended));
  if (auto done = remove_orphans(); !done) return failed(done.error());
  const auto left = look();
  if (!left) return 1;
  if (*left > 0) {
    std::puts(
        "media: what is still named above cannot be mended here: bring the objects back from a backup, or delete\n"
        "the files they belong to");
  }
  return *left == 0 ? 0 : 1;
}

}  // namespace

bool has_media(const Settings& settings) {
  std::error_code error;
  return fs::exists(settings.serve.data_dir / "media" / media::kMediaDatabase, error);
}

int check_media(const Settings& settings, const MediaCheckOptions& options) {
  Checked checked(settings, options);
  const auto problems = checked.look();
  if (!problems) return 1;
  if (*problems == 0) return 0;
  // Other instances may be writing: what is mended here they would not know of.
  if (!settings.mongodb.uri.empty()) {
    std::puts(
        "media: in MongoDB nothing is mended by this command: media itself removes what belongs to nobody, within a "
        "day");
    return 1;
  }
  if (options.repair) return checked.repair();
  std::puts("media: `parley check --repair` removes what belongs to nobody and mends counters, while no server runs");
  return 1;
}

}  // namespace parley::app
