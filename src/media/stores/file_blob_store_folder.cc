#include "media/stores/file_blob_store_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <system_error>

#include "base/durable_folder.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kCopiedAtOnce = 16 * kMiB;
constexpr std::uint64_t kMostKeptFree = 64 * kMiB;
constexpr std::size_t kIdBytes = 36;
constexpr unsigned kFolders = 256;

std::string folder_name(unsigned number) {
  static constexpr char kHex[] = "0123456789abcdef";
  return {kHex[number >> 4], kHex[number & 15]};
}

std::string folder_of(const FileId& id) {
  return id.value.substr(kIdBytes - 2);
}

bool is_file_id(std::string_view text) {
  return parse_uuid(text).has_value();
}

bool is_file_id(const FileId& id) {
  return is_file_id(id.value);
}

WallTime modified_at(const struct stat& status) {
  const auto since = std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec);
  return WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(since));
}

std::unexpected<Error> blob_incomplete() {
  return fail(ErrorKind::kInvalid, "blob_incomplete", "The file has not the size that was announced.");
}

std::unexpected<Error> folder_unusable(const std::filesystem::path& folder, const std::string& why) {
  return unavailable("folder_unusable", "The folder " + folder.string() + " cannot be used: " + why);
}

}  // namespace

std::unexpected<Error> file_failure(int error, std::string_view doing) {
  switch (error) {
    case ENOENT:
      return not_found("file");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fail(ErrorKind::kNoRoom, "storage_full", "There is no room to store this.");
    default:
      log_warn("the files of uploads failed", {{"doing", doing}, {"error", std::generic_category().message(error)}});
      return unavailable("unavailable", "Files cannot be stored or read at the moment.");
  }
}

bool has_room(int fd, std::uint64_t bytes) {
  struct statvfs status{};
  if (::fstatvfs(fd, &status) != 0) return true;  // what is written will tell
  const std::uint64_t kept_free = std::min<std::uint64_t>(kMostKeptFree, status.f_blocks * status.f_frsize / 100);
  const std::uint64_t free = status.f_bavail * status.f_frsize;
  return free >= kept_free && free - kept_free >= bytes;
}

Result<> write_fully(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return file_failure(errno, "write");
    bytes.remove_prefix(static_cast<std::size_t>(done));
    offset += static_cast<std::uint64_t>(done);
  }
  return {};
}

Result<std::unique_ptr<BlobFolder>> BlobFolder::open(const std::filesystem::path& folder) {
  if (const std::error_code failed = make_durable_folder(folder)) return folder_unusable(folder, failed.message());
  UniqueFd root(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto unusable = [&folder] { return folder_unusable(folder, std::generic_category().message(errno)); };
  if (!root) return unusable();
  bool made_any = false;
  for (unsigned number = 0; number < kFolders; ++number) {
    if (::mkdirat(root.get(), folder_name(number).c_str(), 0700) == 0) {
      made_any = true;
    } else if (errno != EEXIST) {
      return unusable();
    }
  }
  if (made_any && ::fsync(root.get()) != 0) return unusable();
  return std::unique_ptr<BlobFolder>(new BlobFolder(std::move(root)));
}

std::string BlobFolder::name_of(const FileId& id, Part part) {
  static constexpr std::array<std::string_view, kParts> kEndings = {"",        ".part",  ".small",
                                                                    ".medium", ".large", ".thumbnail.part"};
  return folder_of(id).append("/").append(id.value).append(kEndings[static_cast<std::size_t>(part)]);
}

BlobFolder::Part BlobFolder::part_of(ThumbnailSize size) {
  switch (size) {
    case ThumbnailSize::kSmall:
      return Part::kSmall;
    case ThumbnailSize::kMedium:
      return Part::kMedium;
    case ThumbnailSize::kLarge:
      break;
  }
  return Part::kLarge;
}

bool BlobFolder::is_sealed(const FileId& id) const {
  return ::faccessat(root_.get(), name_of(id, Part::kSealed).c_str(), F_OK, 0) == 0;
}

Result<> BlobFolder::sync_folder_of(const FileId& id) const {
  const UniqueFd folder(::openat(root_.get(), folder_of(id).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return file_failure(errno, "sync a folder");
  return {};
}

Result<> BlobFolder::create(const FileId& id, std::optional<std::uint64_t> size) const {
  if (!is_file_id(id)) return not_found("file");
  if (!has_room(root_.get(), size.value_or(0))) return file_failure(ENOSPC, "create");
  const auto exists = [] { return fail(ErrorKind::kConflict, "blob_exists", "There is a file of that id already."); };
  if (is_sealed(id)) return exists();
  const UniqueFd fd(::openat(root_.get(), name_of(id, Part::kUnsealed).c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd && errno == EEXIST) return exists();
  if (!fd) return file_failure(errno == ENOENT ? EIO : errno, "create");  // its folder is missing, which is our loss
  return sync_folder_of(id);
}

Result<UniqueFd> BlobFolder::open_for_writing(const FileId& id) const {
  if (!is_file_id(id)) return not_found("file");
  UniqueFd fd(::openat(root_.get(), name_of(id, Part::kUnsealed).c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return file_failure(errno, "open to write");
  return fd;
}

Result<> BlobFolder::copy(const FileId& from, ByteRange range, const FileId& to, std::uint64_t offset,
                          SteadyTime deadline) const {
  auto source = open_for_reading(from);
  if (!source) return std::unexpected(source.error());
  auto target = open_for_writing(to);
  if (!target) return std::unexpected(target.error());
  if (source->size < range.end) return blob_incomplete();
  auto read_at = static_cast<off_t>(range.first);
  auto write_at = static_cast<off_t>(offset);
  for (std::uint64_t left = range.length(); left > 0;) {
    // Whoever asked has gone: nobody would hear the end of it.
    if (std::chrono::steady_clock::now() > deadline) {
      return fail(ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the answer came.");
    }
    const std::uint64_t piece = std::min(left, kCopiedAtOnce);
    if (!has_room(target->get(), piece)) return file_failure(ENOSPC, "copy");
    const off_t piece_at = write_at;
    const ssize_t done = ::copy_file_range(source->fd.get(), &read_at, target->get(), &write_at, piece, 0);
    if (done < 0) return file_failure(errno, "copy");
    if (done == 0) return blob_incomplete();
    ::sync_file_range(target->get(), piece_at, done, SYNC_FILE_RANGE_WRITE);
    left -= static_cast<std::uint64_t>(done);
  }
  if (::fdatasync(target->get()) != 0) return file_failure(errno, "sync");
  return {};
}

Result<> BlobFolder::seal(const FileId& id, std::uint64_t size) const {
  if (!is_file_id(id)) return not_found("file");
  const std::string sealed = name_of(id, Part::kSealed);
  const std::string unsealed = name_of(id, Part::kUnsealed);
  struct stat status{};
  const UniqueFd fd(::openat(root_.get(), unsealed.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (fd) {
    if (::fstat(fd.get(), &status) != 0) return file_failure(errno, "seal");
    if (static_cast<std::uint64_t>(status.st_size) < size) return blob_incomplete();
    if (static_cast<std::uint64_t>(status.st_size) > size && ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
      return file_failure(errno, "seal");
    }
    if (::fsync(fd.get()) != 0) {
      const int error = errno;
      // After a failed sync the kernel takes for clean what never reached the disk, and the next sync would succeed:
      // such bytes must never be sealed.
      ::unlinkat(root_.get(), unsealed.c_str(), 0);
      return file_failure(error, "sync");
    }
    // Sealed at the same moment by another call, it is where it should be.
    if (::renameat(root_.get(), unsealed.c_str(), root_.get(), sealed.c_str()) != 0 && errno != ENOENT) {
      return file_failure(errno, "seal");
    }
  } else if (errno != ENOENT) {
    return file_failure(errno, "seal");
  }
  if (::fstatat(root_.get(), sealed.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return file_failure(errno, "seal");
  if (static_cast<std::uint64_t>(status.st_size) != size) return blob_incomplete();
  return sync_folder_of(id);
}

Result<OpenFile> BlobFolder::open_named(const std::string& name) const {
  OpenFile file{.fd = UniqueFd(::openat(root_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC))};
  struct stat status{};
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0) return file_failure(errno, "open");
  file.size = static_cast<std::uint64_t>(status.st_size);
  return file;
}

std::optional<OpenFile> BlobFolder::open_without_waiting(const FileId& id) const {
  if (!is_file_id(id)) return std::nullopt;
  const std::string name = name_of(id, Part::kSealed);
  const open_how how{.flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_CACHED};
  // glibc has no function for it; where the kernel, or what confines the process, does not know it, that is no success.
  OpenFile file{.fd = UniqueFd(static_cast<int>(::syscall(SYS_openat2, root_.get(), name.c_str(), &how, sizeof how)))};
  struct stat status{};
  if (!file.fd || ::fstat(file.fd.get(), &status) != 0) return std::nullopt;
  file.size = static_cast<std::uint64_t>(status.st_size);
  return file;
}

Result<OpenFile> BlobFolder::open_for_reading(const FileId& id) const {
  if (!is_file_id(id)) return not_found("file");
  const auto is_missing = [](const Result<OpenFile>& file) {
    return !file && file.error().kind == ErrorKind::kNotFound;
  };
  auto file = open_named(name_of(id, Part::kSealed));
  if (is_missing(file)) file = open_named(name_of(id, Part::kUnsealed));
  if (is_missing(file)) file = open_named(name_of(id, Part::kSealed));  // sealed between the two
  return file;
}

Result<> BlobFolder::remove(const FileId& id) const {
  if (!is_file_id(id)) return {};
  // The blob before its thumbnails: put_thumbnail() counts on it.
  for (int part = 0; part < kParts; ++part) {
    if (::unlinkat(root_.get(), name_of(id, static_cast<Part>(part)).c_str(), 0) != 0 && errno != ENOENT) {
      return file_failure(errno, "remove");
    }
  }
  return {};
}

Result<std::optional<StoredBlob>> BlobFolder::look_at(const FileId& id, Part best) const {
  struct stat status{};
  const auto stat_of = [&](Part part) {
    return ::fstatat(root_.get(), name_of(id, part).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  };
  bool found = stat_of(best);
  if (!found && errno == ENOENT && best == Part::kUnsealed) {  // sealed meanwhile
    best = Part::kSealed;
    found = stat_of(best);
  }
  if (!found && errno == ENOENT) return std::nullopt;
  if (!found) return file_failure(errno, "list");
  const bool is_blob = best == Part::kSealed || best == Part::kUnsealed;
  return StoredBlob{.id = id,
                    .sealed = best == Part::kSealed,
                    .size = is_blob ? static_cast<std::uint64_t>(status.st_size) : 0,
                    .modified_at = modified_at(status)};
}

Result<std::map<FileId, BlobFolder::Part>> BlobFolder::parts_in(unsigned number) const {
  std::map<FileId, Part> parts;
  UniqueFd fd(::openat(root_.get(), folder_name(number).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return file_failure(errno == ENOENT ? EIO : errno, "list");
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd.get()), ::closedir);
  if (!folder) return file_failure(errno, "list");
  fd.release();
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    const FileId id(name.substr(0, kIdBytes));
    if (!is_file_id(id) || folder_of(id) != folder_name(number)) continue;  // not ours
    for (int part = 0; part < kParts; ++part) {
      if (name_of(id, static_cast<Part>(part)).substr(3) != name) continue;
      const auto [known, is_new] = parts.try_emplace(id, static_cast<Part>(part));
      if (!is_new) known->second = std::min(known->second, static_cast<Part>(part));
    }
  }
  if (errno != 0) return file_failure(errno, "list");
  return parts;
}

Result<Page<StoredBlob>> BlobFolder::list(const std::optional<FileId>& after, std::size_t limit) const {
  if (after && !is_file_id(*after)) return not_found("file");
  Page<StoredBlob> page;
  const unsigned first = after ? static_cast<unsigned>(parse_uuid(after->value)->back()) : 0;
  for (unsigned number = first; number < kFolders; ++number) {
    auto parts = parts_in(number);
    if (!parts) return std::unexpected(parts.error());
    const auto from = after && number == first ? parts->upper_bound(*after) : parts->begin();
    for (auto each = from; each != parts->end(); ++each) {
      if (page.items.size() == limit) {
        page.has_more = true;
        return page;
      }
      auto blob = look_at(each->first, each->second);
      if (!blob) return std::unexpected(blob.error());
      if (*blob) page.items.push_back(std::move(**blob));
    }
  }
  return page;
}

Result<> BlobFolder::put_thumbnail(const FileId& id, ThumbnailSize size, std::string_view bytes) {
  if (!is_file_id(id) || !is_sealed(id)) return not_found("file");
  if (!has_room(root_.get(), bytes.size())) return file_failure(ENOSPC, "write a thumbnail");
  const std::lock_guard lock(new_thumbnail_);
  const std::string unfinished = name_of(id, Part::kNewThumbnail);
  const std::string finished = name_of(id, part_of(size));
  const UniqueFd fd(
      ::openat(root_.get(), unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return file_failure(errno, "write a thumbnail");
  Result<> done = write_fully(fd.get(), bytes, 0);
  if (done &&
      (::fdatasync(fd.get()) != 0 || ::renameat(root_.get(), unfinished.c_str(), root_.get(), finished.c_str()) != 0)) {
    done = file_failure(errno, "write a thumbnail");
  }
  if (!done) ::unlinkat(root_.get(), unfinished.c_str(), 0);
  if (done && !is_sealed(id)) {  // removed meanwhile, perhaps before this thumbnail was there to be removed
    ::unlinkat(root_.get(), finished.c_str(), 0);
    return not_found("file");
  }
  return done;
}

Result<OpenFile> BlobFolder::open_thumbnail(const FileId& id, ThumbnailSize size) const {
  if (!is_file_id(id)) return not_found("file");
  return open_named(name_of(id, part_of(size)));
}

Result<> BlobFolder::ping() const {
  const UniqueFd folder(::openat(root_.get(), folder_name(0).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::faccessat(folder.get(), ".", R_OK | W_OK | X_OK, 0) != 0) {
    return file_failure(errno == ENOENT ? EIO : errno, "look after the folder");
  }
  return {};
}

}  // namespace parley::media
