#include "media/stores/file_blob_store_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "base/or_internal_error.h"
#include "media/stores/file_blob_store_folder.h"

namespace parley::media {

namespace {

// So often the kernel is asked to begin with writing to the disk, so that a sync at the end has little left to wait
// for, and the room on the disk is looked at.
constexpr std::uint64_t kStepBytes = 8 << 20;

}  // namespace

// What threads of the pool work on: one writes, and where there is much a second one makes the sum meanwhile. The loop
// puts the next bytes in while no work is under way. How much is, is under the lock.
class FileBlobWriter::Behind {
 public:
  Behind(UniqueFd fd, std::uint64_t offset, std::shared_ptr<Digests> digests)
      : fd_(std::move(fd)), digests_(std::move(digests)), written_(offset), begun_(offset) {}

  AlignedBuffer buffer;

  bool has_digests() const { return digests_ != nullptr; }
  // Before the work is given to the pool.
  void begin_work(int threads) {
    const std::lock_guard lock(mutex_);
    working_ = threads;
    outcome_ = {};
  }
  // Answers once the work under way has ended; nothing: none is. One waits at a time, though perhaps again.
  std::optional<OneShotFuture<void>> end_of_work() {
    const std::lock_guard lock(mutex_);
    if (working_ == 0) return std::nullopt;
    auto [promise, future] = make_one_shot<void>(EventLoop::current());
    waiting_.emplace(std::move(promise));
    return std::move(future);
  }
  Result<> outcome() const {
    const std::lock_guard lock(mutex_);
    return outcome_;
  }

  // What is thrown here ends the work, too: somebody may wait for its end.
  void write_out(bool with_digests, bool durable) {
    end_work(or_internal_error([&]() -> Result<> {
      Result<> done = write_bytes();
      if (done && with_digests && digests_) digests_->update(buffer.bytes());
      if (done && durable && ::fdatasync(fd_.get()) != 0) done = file_failure(errno, "sync");
      return done;
    }));
  }
  void update_digests() {
    end_work(or_internal_error([&]() -> Result<> {
      digests_->update(buffer.bytes());
      return {};
    }));
  }
  // The writer goes: where work is under way, the blob is held until the last of it has let go of this.
  void leave_behind(WritesLeftBehind& left_behind, const FileId& id) {
    const std::lock_guard lock(mutex_);
    if (working_ > 0) held_ = left_behind.hold(id);
  }
  // What the pool did not take.
  void end_work(Result<> done) {
    std::optional<OneShotPromise<void>> waiting;
    {
      const std::lock_guard lock(mutex_);
      if (!done) outcome_ = std::move(done);
      if (--working_ > 0) return;
      if (waiting_) waiting.emplace(std::move(*waiting_));
      waiting_.reset();
    }
    if (waiting) waiting->deliver({});
  }

 private:
  Result<> write_bytes() {
    const std::string_view bytes = buffer.bytes();
    if (bytes.empty()) return {};
    go_past_the_cache(bytes.size() == kLargeBufferBytes && written_ % AlignedBuffer::kAlignment == 0);
    Result<> done = write_fully(fd_.get(), bytes, written_);
    if (!done && past_the_cache_) {  // a file system that takes the flag and not the write
      go_past_the_cache(false);
      may_go_past_ = false;
      done = write_fully(fd_.get(), bytes, written_);
    }
    if (!done) return done;
    written_ += bytes.size();
    if (written_ - begun_ < kStepBytes) return {};
    if (!past_the_cache_) {
      ::sync_file_range(fd_.get(), static_cast<off_t>(begun_), static_cast<off_t>(written_ - begun_),
                        SYNC_FILE_RANGE_WRITE);
    }
    begun_ = written_;
    if (!has_room(fd_.get(), 0)) return file_failure(ENOSPC, "write");
    return {};
  }
  void go_past_the_cache(bool wanted) {
    wanted = wanted && may_go_past_;
    if (wanted == past_the_cache_) return;
    const int flags = ::fcntl(fd_.get(), F_GETFL);
    const bool set = ::fcntl(fd_.get(), F_SETFL, wanted ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
    if (set) past_the_cache_ = wanted;
    if (!set) may_go_past_ = false;
  }

  std::unique_ptr<WritesLeftBehind::Hold> held_;  // first: it goes when the file is closed
  const UniqueFd fd_;
  const std::shared_ptr<Digests> digests_;
  std::uint64_t written_;  // up to there
  std::uint64_t begun_;    // up to there the kernel has begun
  bool past_the_cache_ = false;
  bool may_go_past_ = true;

  mutable std::mutex mutex_;
  int working_ = 0;   // threads
  Result<> outcome_;  // of the last work
  std::optional<OneShotPromise<void>> waiting_;
};

FileBlobWriter::FileBlobWriter(Shared shared, FileId id, UniqueFd fd, std::uint64_t offset,
                               std::shared_ptr<Digests> digests)
    : shared_(shared),
      id_(std::move(id)),
      behind_(std::make_shared<Behind>(std::move(fd), offset, std::move(digests))),
      filled_from_(offset),
      offset_(offset),
      first_(offset) {}

// The last to close a file that was removed meanwhile frees it, which takes long for a large one: not on a loop.
FileBlobWriter::~FileBlobWriter() {
  if (large_) shared_.large_writers.leave();
  behind_->leave_behind(shared_.left_behind, id_);
  shared_.pool.try_submit([behind = std::move(behind_)] {});
}

Task<Result<>> FileBlobWriter::write(std::string_view bytes, SteadyTime deadline) {
  while (!failure_ && !bytes.empty()) {
    make_room();
    // The first buffer ends where whole pages begin.
    const std::size_t limit = filling_.capacity() - filled_from_ % AlignedBuffer::kAlignment;
    const std::size_t taken = filling_.append(bytes, limit);
    bytes.remove_prefix(taken);
    offset_ += taken;
    if (filling_.size() == limit) co_await pass_on(Until::kWritten, deadline);
  }
  co_return outcome();
}

// Before an empty buffer is filled: the memory for it, which grows once.
void FileBlobWriter::make_room() {
  if (filling_.size() > 0) return;
  if (!large_ && offset_ - first_ >= kMuch) large_ = shared_.large_writers.try_enter();
  const std::size_t wanted = large_ ? kLargeBufferBytes : kBufferBytes;
  if (filling_.capacity() < wanted) filling_ = AlignedBuffer(wanted);
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
  std::swap(behind_->buffer, filling_);
  filling_.clear();
  filled_from_ = offset_;
  const bool apart = behind_->has_digests() && behind_->buffer.size() == kLargeBufferBytes;
  behind_->begin_work(apart ? 2 : 1);
  const bool durable = until == Until::kDurable;
  BlockingPool& pool = shared_.pool;
  const bool taken = pool.try_submit([behind = behind_, durable, apart] { behind->write_out(!apart, durable); });
  if (taken && (!apart || pool.try_submit([behind = behind_] { behind->update_digests(); }))) co_return;
  failure_ = unavailable("overloaded", "The server has more work than it can queue; try again shortly.").error();
  if (!taken && apart) behind_->end_work({});
  behind_->end_work({});
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
