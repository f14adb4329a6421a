// UploadFinisher: makes a file of an upload whose bytes are all there: the checksum of the whole, its type, the blob
// sealed, the file in the store. Where the checksum is not known, for bytes came out of order or with another process,
// they are read over in the background, a few uploads at once. Owned by UploadEngine; called on any loop, while the
// background work is on the one it was started with.
//
// A crash at any point leaves an upload that is finished when somebody asks again, or the sweeper finds it: sealing and
// finishing twice do nothing, and until the store knows the file, the upload is there.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/blocking.h"
#include "base/task_group.h"
#include "media/upload_parts.h"
#include "media/uploads_under_way.h"

namespace parley::media {

class UploadFinisher {
 public:
  UploadFinisher(UploadParts& parts, UploadsUnderWay& under_way);
  ~UploadFinisher();

  // Called when a file has been stored, on the loop that stored it; must not block. Perhaps twice for one file.
  std::function<void(const File&)> on_stored;

  void start(EventLoop& loop);
  // On that loop: what is read over ends soon. Calls `stopped` once nothing runs any more.
  void stop(std::move_only_function<void()> stopped);

  // Bytes that are all in the blob, with no writer at work on them.
  struct Bytes {
    Upload upload;
    std::uint64_t size = 0;
    Sha256 sha256{};
  };
  struct Sealed {
    Bytes bytes;
    std::string content_type;
  };
  // invalid checksum_mismatch when they are not those that were announced when the upload began.
  Task<Result<Sealed>> seal(Bytes bytes);
  // Makes it a file: with `sealed`, it is there for good.
  Task<Result<File>> store(Sealed sealed);

  // Both, once per upload at a time, and before that what else it takes: partial uploads are copied, bytes read over.
  // The file, or nothing when that takes longer than until `deadline`: it goes on, and who asks again hears of it.
  // After a mismatch the upload is gone.
  Task<Result<std::optional<File>>> finish(Upload upload, SteadyTime deadline);
  // The same while nobody waits: where it fails, or there is no room for it, it is to be passed here again.
  void take_up(Upload upload);

  // Uploads that are read over or wait for it.
  std::size_t running() const { return jobs_shown_; }

 private:
  struct Job;
  void join(Upload upload, std::optional<OneShotPromise<File>> waiting);
  void run_next();
  Task<> run(std::shared_ptr<Job> job);
  Task<Result<File>> work(const Job& job);
  Task<Result<Upload>> concatenate(Upload upload);
  Task<Result<>> copy(const Upload& partial, FileId whole, std::uint64_t offset);
  Task<Result<Sha256>> sum_of(const Upload& upload);
  Task<Result<>> read_over(http::Body& body, std::shared_ptr<Digests> digests, UploadsUnderWay::ReadingOver& shown);
  Task<> discard(const Upload& upload, const Error& why);

  UploadParts& parts_;
  UploadsUnderWay& under_way_;
  BlockingPool hashers_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> jobs_shown_{0};

  // On the loop alone.
  EventLoop* loop_ = nullptr;
  std::map<FileId, std::shared_ptr<Job>> jobs_;
  std::deque<std::shared_ptr<Job>> queue_;
  std::size_t reading_ = 0;  // of those that run, the ones that read over, or copy
  std::optional<TaskGroup> tasks_;
};

}  // namespace parley::media
