#include "media/stores/file_blob_store.h"

#include "media/stores/file_blob_store_folder.h"
#include "media/stores/file_blob_store_reader.h"
#include "media/stores/file_blob_store_writer.h"

namespace parley::media {

namespace {

Result<std::unique_ptr<BlobReader>> reader_of(BlockingPool& pool, Result<OpenFile> file) {
  if (!file) return std::unexpected(std::move(file.error()));
  return std::make_unique<FileBlobReader>(pool, std::move(*file));
}

}  // namespace

Result<std::unique_ptr<FileBlobStore>> FileBlobStore::open(const FileBlobStoreOptions& options) {
  auto folder = BlobFolder::open(options.folder);
  if (!folder) return std::unexpected(std::move(folder.error()));
  return std::unique_ptr<FileBlobStore>(new FileBlobStore(options, std::move(*folder)));
}

FileBlobStore::FileBlobStore(const FileBlobStoreOptions& options, std::unique_ptr<BlobFolder> folder)
    : folder_(std::move(folder)),
      writers_("media-write", options.writer_threads, options.queue_limit),
      readers_("media-read", options.reader_threads, options.queue_limit) {}

FileBlobStore::~FileBlobStore() = default;

Task<Result<>> FileBlobStore::create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) {
  return writers_.run<void>(deadline, [this, id = std::move(id), size] { return folder_->create(id, size); });
}

Task<Result<std::unique_ptr<BlobWriter>>> FileBlobStore::write(FileId id, std::uint64_t offset,
                                                               std::shared_ptr<Digests> digests, SteadyTime deadline) {
  if (auto free = co_await left_behind_.wait_for_the_last(id, deadline); !free) {
    co_return std::unexpected(std::move(free.error()));
  }
  auto fd = co_await writers_.run<UniqueFd>(deadline, [this, id] { return folder_->open_for_writing(id); });
  if (!fd) co_return std::unexpected(std::move(fd.error()));
  co_return std::make_unique<FileBlobWriter>(FileBlobWriter::Shared{writers_, large_writers_, left_behind_},
                                             std::move(id), std::move(*fd), offset, std::move(digests));
}

Task<Result<>> FileBlobStore::copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) {
  if (auto free = co_await left_behind_.wait_for_the_last(to, deadline); !free) co_return free;
  co_return co_await writers_.run<void>(deadline,
                                        [this, from = std::move(from), range, to = std::move(to), offset, deadline] {
                                          return folder_->copy(from, range, to, offset, deadline);
                                        });
}

Task<Result<>> FileBlobStore::seal(FileId id, std::uint64_t size, SteadyTime deadline) {
  if (auto free = co_await left_behind_.wait_for_the_last(id, deadline); !free) co_return free;
  co_return co_await writers_.run<void>(deadline, [this, id, size] { return folder_->seal(id, size); });
}

Task<Result<std::unique_ptr<BlobReader>>> FileBlobStore::open(FileId id, SteadyTime deadline) {
  if (auto at_once = folder_->open_without_waiting(id)) co_return reader_of(readers_, std::move(*at_once));
  auto file =
      co_await readers_.run<OpenFile>(deadline, [this, id = std::move(id)] { return folder_->open_for_reading(id); });
  co_return reader_of(readers_, std::move(file));
}

Task<Result<>> FileBlobStore::remove(FileId id, SteadyTime deadline) {
  return writers_.run<void>(deadline, [this, id = std::move(id)] { return folder_->remove(id); });
}

Task<Result<Page<StoredBlob>>> FileBlobStore::list(std::optional<FileId> after, std::size_t limit,
                                                   SteadyTime deadline) {
  return readers_.run<Page<StoredBlob>>(
      deadline, [this, after = std::move(after), limit] { return folder_->list(after, limit); });
}

Task<Result<>> FileBlobStore::put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) {
  return writers_.run<void>(deadline, [this, id = std::move(id), size, bytes = std::move(bytes)] {
    return folder_->put_thumbnail(id, size, bytes);
  });
}

Task<Result<std::unique_ptr<BlobReader>>> FileBlobStore::open_thumbnail(FileId id, ThumbnailSize size,
                                                                        SteadyTime deadline) {
  auto file = co_await readers_.run<OpenFile>(
      deadline, [this, id = std::move(id), size] { return folder_->open_thumbnail(id, size); });
  co_return reader_of(readers_, std::move(file));
}

Task<Result<>> FileBlobStore::ping(SteadyTime deadline) {
  return readers_.run<void>(deadline, [this] { return folder_->ping(); });
}

}  // namespace parley::media
