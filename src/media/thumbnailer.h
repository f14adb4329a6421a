// Thumbnailer: makes the smaller copies of pictures once they are stored, each in a child process
// (thumbnail_process.h), one or two at a time, and tells the store their sizes. Nobody waits for it: a picture whose
// bytes are broken, too large or malicious, and a queue that is full, cost no more than thumbnails. What found no place
// in the queue, and pictures of the last two days that a restart cut off, are looked for in the store when there is
// nothing else to do. Lives on one loop, where start() and close() are called; take() on any.
#pragma once
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blocking.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/task_group.h"
#include "base/unique_fd.h"
#include "media/blob_store.h"
#include "media/media_store.h"
#include "media/thumbnail_process.h"
#include "telemetry/metrics.h"

namespace parley::media {

// Whether files of this sniffed type get thumbnails: JPEG, PNG, WebP and GIF.
bool is_picture(std::string_view content_type);

class Thumbnailer {
 public:
  struct Settings {
    ThumbnailProgram program;  // its command is followed by the picture's content type
    std::size_t queue_limit = 1'000;
    std::size_t children = 2;                      // at once
    std::uint64_t most_copied = 64 * 1024 * 1024;  // bytes of an object that is no file of this host, held in memory
    std::chrono::milliseconds step_timeout = std::chrono::seconds(30);
    std::chrono::milliseconds looked_back = std::chrono::hours(48);
    std::chrono::milliseconds retry = std::chrono::seconds(30);  // after a store failed
  };
  // All must outlive the thumbnailer.
  Thumbnailer(MediaStore& store, BlobStore& blobs, const Clock& clock, Metrics& metrics, Settings settings);
  ~Thumbnailer();

  // On `loop`. What was taken before waits until then.
  void start(EventLoop& loop);
  // Kills what is under way, and calls `closed` when it has ended.
  void close(std::move_only_function<void()> closed);

  // A file that has just been stored; one that is no picture is passed over.
  void take(const File& file);
  std::size_t queued() const;

 private:
  struct Picture {
    TenantId tenant;
    FileId file;
    std::string content_type;
  };
  // As many workers as may be, for as much as waits.
  void wake();
  Task<> work();
  Task<> make(Picture picture);
  Task<Result<>> keep(const Picture& picture, const MadePicture& made);
  // A descriptor from which a child reads the object, whole.
  Task<Result<UniqueFd>> descriptor_of(BlobReader& reader);
  Task<> look_back();
  void look_back_before(const FileId& file);
  std::optional<Picture> next();
  void count(std::string_view outcome);
  // The store failed: the picture is tried again later.
  void come_again(Picture picture, const Error& error);
  void give_up();
  SteadyTime step_deadline() const { return clock_.steady_now() + settings_.step_timeout; }

  SteadyTime now_on_loop() const { return loop_->coarse_now(); }

  MediaStore& store_;
  BlobStore& blobs_;
  const Clock& clock_;
  Metrics& metrics_;
  const Settings settings_;
  Histogram& seconds_;
  Metrics::Scraped queue_length_;
  UniqueFd stop_;  // an eventfd, readable once it is closed
  std::atomic<bool> off_{false};

  mutable std::mutex mutex_;
  EventLoop* loop_ = nullptr;  // written once, under the lock
  std::deque<Picture> queue_;
  std::optional<FileId> missed_;  // the first that found no place
  bool waking_ = false;           // wake() has been posted

  std::size_t workers_ = 0;
  bool looking_back_ = false;
  std::optional<FileId> look_back_after_;
  std::vector<Picture> failed_;  // those for which the store failed; as many as may wait
  std::optional<Deadline> retry_;
  std::optional<TaskGroup> tasks_;
  BlockingPool pool_;  // its threads wait for children
};

}  // namespace parley::media
