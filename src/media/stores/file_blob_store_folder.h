// BlobFolder: the files of blobs in one folder, and the work on them that blocks. "xx/ID" is a sealed blob, "ID.part"
// one that is still being written, "ID.small" a thumbnail; xx is the last byte of the id, since ids of one time share
// their first. All of a blob lies in one folder, so that sealing renames within it. Owned by FileBlobStore, called on
// its pools' threads, several at a time. Fails as blob_store.h says; what the system said stands in the log.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "media/blob_store.h"
#include "media/types.h"

namespace parley::media {

struct OpenFile {
  UniqueFd fd;
  std::uint64_t size = 0;
};

class BlobFolder {
 public:
  // Makes what is missing. fail: unavailable folder_unusable; the detail names the folder, for the operator.
  static Result<std::unique_ptr<BlobFolder>> open(const std::filesystem::path& folder);

  Result<> create(const FileId& id, std::optional<std::uint64_t> size) const;
  Result<UniqueFd> open_for_writing(const FileId& id) const;
  Result<> copy(const FileId& from, ByteRange range, const FileId& to, std::uint64_t offset, SteadyTime deadline) const;
  Result<> seal(const FileId& id, std::uint64_t size) const;
  Result<OpenFile> open_for_reading(const FileId& id) const;
  // A sealed blob whose name the kernel has in memory, so that nothing waits for the disk: may be called on a loop.
  // Nullopt for any other reason than success: ask open_for_reading().
  std::optional<OpenFile> open_without_waiting(const FileId& id) const;
  Result<> remove(const FileId& id) const;
  Result<Page<StoredBlob>> list(const std::optional<FileId>& after, std::size_t limit) const;
  Result<> put_thumbnail(const FileId& id, ThumbnailSize size, std::string_view bytes);
  Result<OpenFile> open_thumbnail(const FileId& id, ThumbnailSize size) const;
  Result<> ping() const;

 private:
  explicit BlobFolder(UniqueFd root) : root_(std::move(root)) {}
  // What may be there of a blob, the most telling first.
  enum class Part : std::uint8_t { kSealed, kUnsealed, kSmall, kMedium, kLarge, kNewThumbnail };
  static constexpr int kParts = 6;
  static std::string name_of(const FileId& id, Part part);
  static Part part_of(ThumbnailSize size);
  bool is_sealed(const FileId& id) const;
  Result<OpenFile> open_named(const std::string& name) const;
  Result<> sync_folder_of(const FileId& id) const;
  // The most telling part of each blob in the folder of that number.
  Result<std::map<FileId, Part>> parts_in(unsigned number) const;
  // Nullopt: gone meanwhile.
  Result<std::optional<StoredBlob>> look_at(const FileId& id, Part best) const;

  const UniqueFd root_;       // all names are below it
  std::mutex new_thumbnail_;  // one is written at a time
};

// What `error` (an errno) means to whoever asked.
std::unexpected<Error> file_failure(int error, std::string_view doing);
// Whether so many bytes more would leave the file system what it needs for the databases beside.
bool has_room(int fd, std::uint64_t bytes);
// Writes all, however often the system takes less.
Result<> write_fully(int fd, std::string_view bytes, std::uint64_t offset);

}  // namespace parley::media
