// FaultyBlobStore: a blob store whose calls fail when the test says so. For tests; used on one loop.
#pragma once
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "media/blob_store.h"

namespace parley::media::testing {

class FaultyBlobStore final : public BlobStore {
 public:
  explicit FaultyBlobStore(BlobStore& real) : real_(real) {}
  // Asked before each call ("remove", its blob): what it is to fail with. Empty: nothing fails.
  std::function<std::optional<Error>(std::string_view call, const FileId& id)> fault;

  Task<Result<>> create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) override {
    if (auto error = failing("create", id)) co_return fail(std::move(*error));
    co_return co_await real_.create(std::move(id), size, deadline);
  }
  Task<Result<std::unique_ptr<BlobWriter>>> write(FileId id, std::uint64_t offset, std::shared_ptr<Digests> digests,
                                                  SteadyTime deadline) override {
    if (auto error = failing("write", id)) co_return fail(std::move(*error));
    co_return co_await real_.write(std::move(id), offset, std::move(digests), deadline);
  }
  Task<Result<>> copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) override {
    if (auto error = failing("copy", from)) co_return fail(std::move(*error));
    co_return co_await real_.copy(std::move(from), range, std::move(to), offset, deadline);
  }
  Task<Result<>> seal(FileId id, std::uint64_t size, SteadyTime deadline) override {
    if (auto error = failing("seal", id)) co_return fail(std::move(*error));
    co_return co_await real_.seal(std::move(id), size, deadline);
  }
  Task<Result<std::unique_ptr<BlobReader>>> open(FileId id, SteadyTime deadline) override {
    if (auto error = failing("open", id)) co_return fail(std::move(*error));
    co_return co_await real_.open(std::move(id), deadline);
  }
  Task<Result<>> remove(FileId id, SteadyTime deadline) override {
    if (auto error = failing("remove", id)) co_return fail(std::move(*error));
    co_return co_await real_.remove(std::move(id), deadline);
  }
  Task<Result<Page<StoredBlob>>> list(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) override {
    if (auto error = failing("list", after.value_or(FileId()))) co_return fail(std::move(*error));
    co_return co_await real_.list(std::move(after), limit, deadline);
  }
  Task<Result<>> put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) override {
    if (auto error = failing("put_thumbnail", id)) co_return fail(std::move(*error));
    co_return co_await real_.put_thumbnail(std::move(id), size, std::move(bytes), deadline);
  }
  Task<Result<std::unique_ptr<BlobReader>>> open_thumbnail(FileId id, ThumbnailSize size,
                                                           SteadyTime deadline) override {
    if (auto error = failing("open_thumbnail", id)) co_return fail(std::move(*error));
    co_return co_await real_.open_thumbnail(std::move(id), size, deadline);
  }
  Task<Result<>> ping(SteadyTime deadline) override { co_return co_await real_.ping(deadline); }

 private:
  std::optional<Error> failing(std::string_view call, const FileId& id) const {
    return fault ? fault(call, id) : std::nullopt;
  }
  BlobStore& real_;
};

}  // namespace parley::media::testing
