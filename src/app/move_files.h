// MoveOfFiles: what `parley migrate` does with media's store and the bytes of files, between the data folder and
// MongoDB with S3. Where S3_ENDPOINT is not set, or names where the objects are already, the bytes stay. Tells how far
// it is on stderr, and what it came to on stdout. Blocks; one thread beside a loop of its own.
#pragma once
#include <functional>
#include <memory>
#include <unordered_map>

#include "app/media_objects.h"
#include "app/move_messages.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "media/media_store.h"
#include "media/stores/file_blob_store.h"
#include "media/transfer/media_transfer.h"

namespace parley::app {

class MoveOfFiles {
 public:
  // Null where the source has no media store.
  static Result<std::unique_ptr<MoveOfFiles>> open(const Settings& settings, MoveSides sides);
  ~MoveOfFiles();

  // Bytes, then what is known of them. Uploads under way only where the source is served by nobody.
  Result<> copy();
  // Compares what is known, and which objects there are; `deep`: their bytes, too. Differences are printed.
  Result<bool> verify(bool deep);
  Result<bool> is_finished();
  // fail: source_changed when events were written to the source since this was opened.
  Result<> expect_unchanged();
  Result<> finish();

 private:
  struct Objects {
    std::unordered_map<std::string, std::uint64_t> sealed;  // size by id
  };
  explicit MoveOfFiles(MoveSides sides) : sides_(sides) {}
  Result<> open_objects(const Settings& settings);
  Result<Objects> list(media::BlobStore& objects);
  Result<> each_file(const std::function<Result<>(const media::transfer::FileRecord&)>& act);
  Result<> copy_bytes();
  // What a move that was killed had begun is in the way of the copy.
  Result<> again_if_begun(const FileId& id, const std::function<Task<Result<>>()>& make_copy);
  Result<> copy_file(const media::transfer::FileRecord& record);
  Result<> copy_thumbnails(const media::transfer::FileRecord& record);
  Result<> copy_uploads();
  // Neither here: the objects are in the target already, which both sides share.
  Result<bool> has_bytes_of(const media::Upload& upload);
  Result<bool> verify_bytes(bool deep);
  Result<bool> verify_bytes_that_stay();
  bool has_bytes_to_move() const { return from_ != nullptr; }

  const MoveSides sides_;
  const SystemClock clock_;
  SecureRandom random_;
  EventLoops loops_{1};
  std::unique_ptr<media::FileBlobStore> folder_;
  std::unique_ptr<MediaObjects> bucket_;
  media::BlobStore* from_ = nullptr;  // null: the objects stay where they are
  media::BlobStore* to_ = nullptr;
  std::unique_ptr<media::transfer::MediaWriter> source_;  // only read
  std::unique_ptr<media::transfer::MediaWriter> target_;
  std::int64_t files_copied_ = 0;
  std::uint64_t bytes_copied_ = 0;
  std::int64_t began_at_ = 0;  // the log's end
  std::int64_t lost_ = 0;      // files of which the source has no bytes
};

}  // namespace parley::app
