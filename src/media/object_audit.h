// ObjectAudit: holds the objects against what the store knows of them, both ways and in pages: objects that nobody
// knows (orphans), files and uploads whose bytes are not there, thumbnails that are not. It changes nothing: the
// sweeper and `parley check` do what is to be done. May run beside uploads and deletions, which it is not misled by.
// Used by one task on one loop; fails as the ports do, and then says nothing.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "media/blob_store.h"
#include "media/media_store.h"

namespace parley::media {

enum class ObjectFault : std::uint8_t {
  kMissing,           // of a file
  kWrongSize,         // of a file
  kWrongBytes,        // of a file: not the SHA-256 that it was stored with
  kUnreadable,        // of a file
  kUploadIncomplete,  // bytes of an upload that were said to be on disk
  kThumbnailMissing,
};
std::string_view to_string(ObjectFault fault);  // "missing"

struct ObjectFinding {
  ObjectFault fault = ObjectFault::kMissing;
  KnownBlob blob;                           // what the store knows
  std::uint64_t size = 0;                   // of the object, where there is one
  std::vector<ThumbnailSize> thumbnails{};  // kThumbnailMissing: those that are there
};

struct ObjectReport {
  std::uint64_t files = 0;      // that are not deleted
  std::uint64_t objects = 0;    // of files, uploads and nobody
  std::uint64_t bytes = 0;      // of objects
  std::uint64_t too_young = 0;  // unknown, and perhaps of an upload that is just beginning
  std::uint64_t orphans = 0;
  std::uint64_t findings = 0;
  // Of each the first kMostListed.
  std::vector<StoredBlob> listed_orphans;
  std::vector<ObjectFinding> listed;

  // Not where they are many and most of all objects: then it is rather the metadata that is the wrong one, restored
  // from too old a backup, and nothing must be removed.
  bool are_orphans_credible() const { return orphans <= 100 || orphans <= objects / 2; }
};

class ObjectAudit {
 public:
  static constexpr std::size_t kMostListed = 1'000;
  struct Settings {
    // An object that nobody knows is an orphan only when it was last written so long ago: an upload may make its
    // object a moment before its row.
    std::chrono::milliseconds safe_age = std::chrono::hours(1);
    bool read_bytes = false;  // compares SHA-256 too
    std::size_t page = 200;
    std::chrono::milliseconds step_timeout = std::chrono::seconds(30);
    std::size_t unreadable_in_a_row = 10;  // then the objects as a whole are taken for unreadable
  };
  // All must outlive the audit.
  ObjectAudit(BlobRecords& records, BlobStore& blobs, const Clock& clock, Settings settings);

  Task<Result<ObjectReport>> run();
  // The run under way ends soon, with unavailable `stopped`.
  void stop() { stopping_ = true; }

 private:
  Task<Result<>> look_for_orphans(ObjectReport& report);
  Task<Result<>> count_objects(const std::vector<StoredBlob>& objects, ObjectReport& report);
  Task<Result<>> look_at_files(ObjectReport& report);
  // Adds to `suspects`.
  Task<Result<>> look_at(const KnownBlob& blob, std::vector<ObjectFinding>& suspects);
  Task<Result<>> look_at_bytes(const KnownBlob& blob, BlobReader& reader, std::vector<ObjectFinding>& suspects);
  Task<Result<>> look_at_thumbnails(const KnownBlob& blob, std::vector<ObjectFinding>& suspects);
  // Those that still hold, by what the store knows now.
  Task<Result<>> confirm(std::vector<ObjectFinding> suspects, ObjectReport& report);
  SteadyTime step_deadline() const { return clock_.steady_now() + settings_.step_timeout; }

  BlobRecords& records_;
  BlobStore& blobs_;
  const Clock& clock_;
  const Settings settings_;
  std::size_t unreadable_ = 0;  // in a row
  bool stopping_ = false;
};

}  // namespace parley::media
