#include "media/stores/file_blob_store_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "media/stores/file_blob_store_folder.h"

namespace parley::media {

namespace {

// So often the kernel is asked to begin with writing to the disk, so that a sync at the end has little left to wait
// for, and the room on the disk is looked at.
constexpr std::uint64_t kStepBytes = 8 << 20;

}  // namespace

// What the pool's thread works on. Used by one thread at a time: the loop puts the next bytes in while no work is under
// way.
class FileBlobWriter::Behind {
 public:
  Behind(UniqueFd fd, std::uint64_t offset, std::shared_ptr<Digests> digests)
      : fd_(std::move(fd)), digests_(std::move(digests)), written_(offset), begun_(offset) {}

  std::string bytes;

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

 private:
  const UniqueFd fd_;
  const std::shared_ptr<Digests> digests_;
  std::uint64_t written_;  // up to there
  std::uint64_t begun_;    // up to there the kernel has begun
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
  auto [promise, future] = make_one_shot<void>(EventLoop::current());
  const bool taken = pool_.try_submit([behind = behind_, until, answer = std::move(promise)]() mutable {
    Result<> done = behind->write_out();
    if (done && until == Until::kDurable) done = behind->make_durable();
    answer.deliver(std::move(done));
  });
  if (taken) {
    under_way_.emplace(std::move(future));
  } else {
    failure_ = unavailable("overloaded", "The server has more work than it can queue; try again shortly.").error();
  }
}

Task<> FileBlobWriter::settle(SteadyTime deadline) {
  if (!under_way_) co_return;
  OneShotFuture<void> under_way = std::move(*under_way_);
  under_way_.reset();
  if (Result<> done = co_await under_way.wait(deadline); !done && !failure_) failure_ = std::move(done.error());
}

Result<> FileBlobWriter::outcome() const {
  if (failure_) return std::unexpected(*failure_);
  return {};
}

}  // namespace parley::media
