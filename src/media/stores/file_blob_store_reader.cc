#include "media/stores/file_blob_store_reader.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "base/check.h"
#include "base/event_loop.h"

namespace parley::media {

namespace {

constexpr std::size_t kPieceBytes = 128 * 1024;
constexpr std::chrono::seconds kReadTimeout{30};
constexpr std::uint64_t kLargeBytes = 64 << 20;
// Less than this costs less read and sent with its head in one go: two system calls instead of five (of 4 KiB 0.72
// instead of 0.67 of nginx's requests a second).
constexpr std::uint64_t kLeastRunBytes = 32 * 1024;

// Reads up to the length of `piece`; 0 at the end of the file, below that nothing for the reason in errno.
ssize_t read_some(int fd, std::string& piece, std::uint64_t offset, int flags) {
  const iovec into{piece.data(), piece.size()};
  return ::preadv2(fd, &into, 1, static_cast<off_t>(offset), flags);
}

class FileBody final : public http::Body {
 public:
  FileBody(BlockingPool& pool, std::shared_ptr<const OpenFile> file, ByteRange range)
      : pool_(pool), file_(std::move(file)), next_(range.first), end_(range.end), size_(range.length()) {}

  Task<Result<std::string_view>> read() override {
    if (next_ == end_) co_return std::string_view();
    if (!piece_) piece_ = std::make_shared<std::string>();
    piece_->resize(std::min<std::uint64_t>(kPieceBytes, end_ - next_));
    ssize_t length = read_some(file_->fd.get(), *piece_, next_, RWF_NOWAIT);
    if (length <= 0) {
      auto waited_for = co_await read_from_disk();
      if (!waited_for) co_return std::unexpected(waited_for.error());
      length = *waited_for;
    }
    next_ += static_cast<std::uint64_t>(length);
    co_return std::string_view(*piece_).substr(0, static_cast<std::size_t>(length));
  }
  std::optional<std::uint64_t> size() const override { return size_; }
  std::optional<http::FileRun> as_file() override {
    if (end_ - next_ < kLeastRunBytes) return std::nullopt;
    return http::FileRun{
        .fd = file_->fd.get(),
        .offset = next_,
        .length = end_ - next_,
        .fetch = [this](std::uint64_t offset, std::uint64_t length) { return fetch(offset, length); },
    };
  }

 private:
  // Reads it on a thread of the pool and lets go of it: then it is in the page cache.
  Task<Result<>> fetch(std::uint64_t offset, std::uint64_t length) {
    const auto fetched = co_await pool_.run<std::uint64_t>(
        EventLoop::current().coarse_now() + kReadTimeout, [file = file_, offset, length]() -> Result<std::uint64_t> {
          std::string passing(kPieceBytes, '\0');
          for (std::uint64_t at = offset; at < offset + length;) {
            passing.resize(std::min<std::uint64_t>(kPieceBytes, offset + length - at));
            const ssize_t n = read_some(file->fd.get(), passing, at, 0);
            if (n < 0) return file_failure(errno, "read");
            if (n == 0) return file_failure(EIO, "read what a file has lost");
            at += static_cast<std::uint64_t>(n);
          }
          return length;
        });
    if (!fetched) co_return std::unexpected(fetched.error());
    co_return Result<>();
  }

  Task<Result<ssize_t>> read_from_disk() {
    return pool_.run<ssize_t>(EventLoop::current().coarse_now() + kReadTimeout,
                              [file = file_, piece = piece_, offset = next_]() -> Result<ssize_t> {
                                const ssize_t length = read_some(file->fd.get(), *piece, offset, 0);
                                if (length < 0) return file_failure(errno, "read");
                                if (length == 0) return file_failure(EIO, "read what a file has lost");
                                return length;
                              });
  }

  BlockingPool& pool_;
  const std::shared_ptr<const OpenFile> file_;
  std::shared_ptr<std::string> piece_;  // shared with the read under way
  std::uint64_t next_;
  const std::uint64_t end_;
  const std::uint64_t size_;
};

}  // namespace

FileBlobReader::FileBlobReader(BlockingPool& pool, OpenFile file)
    : pool_(pool), file_(std::make_shared<const OpenFile>(std::move(file))) {}

FileBlobReader::~FileBlobReader() {
  // The last to close a file that was removed meanwhile frees it, which takes long for a large one: not on a loop.
  if (file_->size >= kLargeBytes) pool_.try_submit([file = std::move(file_)] {});
}

std::unique_ptr<http::Body> FileBlobReader::read(ByteRange range) {
  CHECK(range.first <= range.end && range.end <= file_->size);
  return std::make_unique<FileBody>(pool_, file_, range);
}

}  // namespace parley::media
