// FileBlobWriter: writes a run of bytes into a file through two buffers: one is filled on the loop while the other is
// written on a thread of the pool. So the sender waits when the disk does, and a writer holds 256 KiB, or 2 MiB once
// much has come: then whole buffers go past the page cache (O_DIRECT), and their sums are made beside the write.
// Measured with 512 MiB: twice the bytes a second at half of the kernel's time. Only so many writers at once may do so
// (LargeWriters), for the memory's sake. One that goes while the disk still hangs with its bytes says so
// (WritesLeftBehind).
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/blocking.h"
#include "base/one_shot.h"
#include "base/unique_fd.h"
#include "media/blob_store.h"
#include "media/stores/aligned_buffer.h"
#include "media/stores/writes_left_behind.h"

namespace parley::media {

// How many writers have large buffers. Any thread; outlives the writers.
class LargeWriters {
 public:
  static constexpr int kMost = 8;
  bool try_enter() {
    if (count_.fetch_add(1) < kMost) return true;
    leave();
    return false;
  }
  void leave() { count_.fetch_sub(1); }

 private:
  std::atomic<int> count_ = 0;
};

class FileBlobWriter final : public BlobWriter {
 public:
  static constexpr std::size_t kBufferBytes = 128 * 1024;
  static constexpr std::size_t kLargeBufferBytes = 1024 * 1024;
  // From so many bytes on a writer takes large buffers. What is shorter stays in the page cache, for whoever reads it
  // next: a thumbnail is made at once.
  static constexpr std::uint64_t kMuch = 8 << 20;
  // What all writers of a store share. It outlives them, and the work that they leave behind.
  struct Shared {
    BlockingPool& pool;
    LargeWriters& large_writers;
    WritesLeftBehind& left_behind;
  };
  FileBlobWriter(Shared shared, FileId id, UniqueFd fd, std::uint64_t offset, std::shared_ptr<Digests> digests);
  ~FileBlobWriter() override;

  Task<Result<>> write(std::string_view bytes, SteadyTime deadline) override;
  Task<Result<>> flush(SteadyTime deadline) override;
  Task<Result<>> sync(SteadyTime deadline) override;
  std::uint64_t offset() const override { return offset_; }

 private:
  class Behind;
  enum class Until : std::uint8_t { kWritten, kDurable };
  // Passes what is filled on to the pool, once the pool has done with what it had before.
  Task<> pass_on(Until until, SteadyTime deadline);
  // Waits for the work under way, if there is any; after a deadline that passed, too.
  Task<> settle(SteadyTime deadline);
  Result<> outcome() const;
  void make_room();

  const Shared shared_;
  const FileId id_;
  bool large_ = false;
  std::shared_ptr<Behind> behind_;  // lives until the work under way has ended, whatever becomes of the writer
  AlignedBuffer filling_;
  std::uint64_t filled_from_;  // where the buffer's bytes go
  std::uint64_t offset_;
  const std::uint64_t first_;
  std::optional<Error> failure_;
};

}  // namespace parley::media
