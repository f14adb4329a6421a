// FileBlobWriter: writes a run of bytes into a file through two buffers: one is filled on the loop while the other is
// written on a thread of the pool. So a writer holds 256 KiB at most, and the sender waits when the disk does.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/blocking.h"
#include "base/one_shot.h"
#include "base/unique_fd.h"
#include "media/blob_store.h"

namespace parley::media {

class FileBlobWriter final : public BlobWriter {
 public:
  static constexpr std::size_t kBufferBytes = 128 * 1024;
  // The pool must outlive the writer.
  FileBlobWriter(BlockingPool& pool, UniqueFd fd, std::uint64_t offset, std::shared_ptr<Digests> digests);
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

  BlockingPool& pool_;
  std::shared_ptr<Behind> behind_;  // lives until the work under way has ended, whatever becomes of the writer
  std::string filling_;
  std::uint64_t offset_;
  std::optional<Error> failure_;
};

}  // namespace parley::media
