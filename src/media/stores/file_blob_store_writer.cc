#include "media/stores/file_blob_store_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "media/stores/file_blob_store_folder.h"

namespace parley::media {

namespace {

// So often the kernel is asked to begin with writing to the disk, so that a sync at the end has little left to wait
// for, and the room on the disk is looked at.
constexpr std::uint64_t kStepBytes = 8 << 20;

}  // namespace

// What the pool's thread works on. Used by one thread at a time: the loop puts the next bytes in while no work is under
// way. Whether it is, is under the lock.
class FileBlobWriter::Behind {
 public:
  Behind(UniqueFd fd, std::uint64_t offset, std::shared_ptr<Digests> digests)
      : fd_(std::move(fd)), digests_(std::move(digests)), written_(offset), begun_(offset) {}

  std::string bytes;

  void set_working(bool working) {
    const std::lock_guard lock(mutex_);
    working_ = working;
  }
  // Answers once the work under way has ended; nothing: none is. One waits at a time, though perhaps again.
  std::optional<OneShotFuture<void>> end_of_work() {
    const std::lock_guard lock(mutex_);
    if (!working_) return std::nullopt;
    auto [promise, future] = make_one_shot<void>(EventLoop::current());
    waiting_.emplace(std::move(promise));
    return std::move(future);
  }
  Result<> outcome() const {
    const std::lock_guard lock(mutex_);
    return outcome_;
  }

  void work(bool durable) {
    Result<> done = write_out();
    if (done && durable) done = make_durable();
    std::optional<OneShotPromise<void>> waiting;
    {
      const std::lock_guard lock(mutex_);
      working_ = false;
      outcome_ = std::move(done);
      if (waiting_) waiting.emplace(std::move(*waiting_));
      waiting_.reset();
    }
    if (waiting) waiting->deliver({});
  }

 private:
  Result<> write_out() {
    if (auto done = write_fully(fd_.get(), bytes, written_); !done) return done;
    written_ += bytes.size();
    if (written_ - begun_ >= kStepBytes) {
      ::sync_file_range(fd_.get(), static_cast<off_t>(begun_), static_cast<off_t>(written_ - begun_),
                        SYNC_FILE_RANGE_WRITE);
      begun_ = written_;
      if (!has_room(fd_.get(), 0)) return file_failure(ENOSPC, "write");
    }
    if (digests_) digests_->update(bytes);
    return {};
  }
  Result<> make_durable() {
    if (::fdatasync(fd_.get()) != 0) return file_failure(errno, "sync");
    return {};
  }

  const UniqueFd fd_;
  const std::shared_ptr<Digests> digests_;
  std::uint64_t written_;  // up to there
  std::uint64_t begun_;    // up to there the kernel has begun

  mutable std::mutex mutex_;
  bool working_ = false;
  Result<> outcome_;  // of the last work that has ended
  std::optional<OneShotPromise<void>> waiting_;
};

FileBlobWriter::FileBlobWriter(BlockingPool& pool, UniqueFd fd, std::uint64_t offset, std::shared_ptr<Digests> digests)
    : pool_(pool), behind_(std::make_shared<Behind>(std::move(fd), offset, std::move(digests))), offset_(offset) {}

// The last to close a file that was removed meanwhile frees it, which takes long for a large one: not on a loop.
FileBlobWriter::~FileBlobWriter() {
  pool_.try_submit([behind = std::move(behind_)] {});
}

Task<Result<>> FileBlobWriter::write(std::string_view bytes, SteadyTime deadline) {
  while (!failure_ && !bytes.empty()) {
    if (filling_.capacity() < kBufferBytes) filling_.reserve(kBufferBytes);
    const std::size_t taken = std::min(bytes.size(), kBufferBytes - filling_.size());
    filling_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    offset_ += taken;
    if (filling_.size() == kBufferBytes) co_await pass_on(Until::kWritten, deadline);
  }
  co_return outcome();
}

Task<Result<>> FileBlobWriter::flush(SteadyTime deadline) {
  co_await pass_on(Until::kWritten, deadline);
  co_await settle(deadline);
  co_return outcome();
}

Task<Result<>> FileBlobWriter::sync(SteadyTime deadline) {
  co_await pass_on(Until::kDurable, deadline);
  co_await settle(deadline);
  co_return outcome();
}

Task<> FileBlobWriter::pass_on(Until until, SteadyTime deadline) {
  co_await settle(deadline);
  if (failure_) co_return;
  behind_->bytes.swap(filling_);
  filling_.clear();
  behind_->set_working(true);
  if (!pool_.try_submit([behind = behind_, until] { behind->work(until == Until::kDurable); })) {
    behind_->set_working(false);
    failure_ = unavailable("overloaded", "The server has more work than it can queue; try again shortly.").error();
  }
}

Task<> FileBlobWriter::settle(SteadyTime deadline) {
  Result<> done;
  if (std::optional<OneShotFuture<void>> ended = behind_->end_of_work()) done = co_await ended->wait(deadline);
  if (done) done = behind_->outcome();
  if (!done && !failure_) failure_ = std::move(done.error());
}

Result<> FileBlobWriter::outcome() const {
  if (failure_) return std::unexpected(*failure_);
  return {};
}

}  // namespace parley::media
