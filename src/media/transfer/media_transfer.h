// MediaTransfer: the port through which `parley migrate` reads all that one media store knows and writes it into
// another (ADR 31), as messaging/transfer does for messages. Bytes are no part of it. Lists come in the order of their
// keys' bytes, in ranges; every put replaces what holds the key. For a command on its one thread: calls block.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/canonical_text.h"
#include "base/move_mark.h"
#include "base/result.h"
#include "base/side_by_side.h"
#include "events/event.h"
#include "media/types.h"

namespace parley::media::transfer {

// Deleted ones too, until their bytes are removed.
struct FileRecord {
  File file;
  std::optional<WallTime> deleted_at;
  std::optional<UserId> deleted_by;
};

// What a user keeps, or with no user a whole tenant.
struct UsageName {
  TenantId tenant;
  UserId user;
  auto operator<=>(const UsageName&) const = default;
};
struct UsageRecord {
  UsageName name;
  std::int64_t stored = 0;
  std::int64_t reserved = 0;
  std::int64_t files = 0;
  std::int64_t uploads = 0;       // of a user
  std::int64_t event_number = 0;  // of a user
};

// The end of the log: what messaging was not told of yet, and the last event in any case. One that refers has no data
// of its own: it is made of the file.
struct KeptEvent {
  events::Event event;
  bool refers = false;
};
struct LogEnd {
  std::vector<KeptEvent> events;
  std::optional<events::LogOffset> told;  // how far messaging was told; none: nobody tells it
};
inline constexpr const char* kTeller = "messaging";  // DeletionTeller's name in the log

inline const FileId& key_of(const FileRecord& record) {
  return record.file.id;
}
inline const UsageName& key_of(const UsageRecord& record) {
  return record.name;
}
std::string canonical(const FileRecord& record);
std::string canonical(const UsageRecord& record);

// An upload, complete or not, with what is present of it.
struct UploadRecord {
  Upload upload;
};
inline const FileId& key_of(const UploadRecord& record) {
  return record.upload.id;
}
std::string canonical(const UploadRecord& record);

class MediaReader {
 public:
  virtual ~MediaReader() = default;

  virtual Result<PositionSecret> position_secret() = 0;
  virtual Result<LogEnd> log_end() = 0;
  virtual Result<std::vector<FileRecord>> files(const KeyRange<FileId>& range) = 0;
  virtual Result<std::vector<UploadRecord>> uploads(const KeyRange<FileId>& range) = 0;
  virtual Result<std::vector<UsageRecord>> usage(const KeyRange<UsageName>& range) = 0;
};

class MediaWriter : public MediaReader {
 public:
  virtual Result<std::optional<MoveMark>> mark() = 0;
  virtual Result<bool> is_empty() = 0;
  virtual Result<> begin(const MoveMark& mark, const PositionSecret& secret) = 0;

  virtual Result<> put_files(std::span<const FileRecord> files) = 0;
  virtual Result<> remove_files(std::span<const FileRecord> files) = 0;
  virtual Result<> put_uploads(std::span<const UploadRecord> uploads) = 0;
  virtual Result<> remove_uploads(std::span<const UploadRecord> uploads) = 0;
  virtual Result<> put_usage(std::span<const UsageRecord> usage) = 0;

  // The log goes on behind `end`, and all that was put is on disk. Then the mark says kDone.
  virtual Result<> finish(const LogEnd& end) = 0;
};

struct MediaTotals {
  std::int64_t files = 0;
  std::int64_t uploads = 0;
  std::uint64_t bytes = 0;  // of files
  Checksum checksum;
  bool operator==(const MediaTotals&) const = default;
};
struct MediaComparison {
  MediaTotals source;
  MediaTotals target;
  std::vector<std::string> differences;  // the first kMaxDifferences, for the operator
  std::int64_t differing = 0;
  bool equal() const { return differing == 0 && source == target; }
};
inline constexpr std::size_t kMaxDifferences = 20;

// One pass: afterwards the target knows what the source did while it was read. Answers how many records were written.
Result<std::int64_t> copy(MediaReader& source, MediaWriter& target);
Result<MediaComparison> compare(MediaReader& source, MediaReader& target);

}  // namespace parley::media::transfer
