#include "auth/dev_key.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace parley::auth {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKeyFileBytes = 16 * 1024;

struct FileHandle {
  int fd = -1;
  explicit FileHandle(int descriptor) : fd(descriptor) {}
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle() {
    if (fd >= 0) ::close(fd);
  }
};

std::unexpected<Error> cannot_write(const fs::path& path) {
  return fail(ErrorKind::kInternal, "internal_error",
              "Cannot write the development key to " + path.string() + ": " + std::strerror(errno) + ".");
}

std::unexpected<Error> unsafe(std::string detail) {
  return fail(ErrorKind::kForbidden, "unsafe_key", std::move(detail));
}

Result<> write_all(int fd, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return cannot_write(path);
  return {};
}

Result<> sync_folder(const fs::path& folder) {
  const FileHandle handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.fd < 0 || ::fsync(handle.fd) != 0) return cannot_write(folder);
  return {};
}

// Puts `text` at `path` unless something is there already, which is no failure: then another process was first.
Result<> write_once(const fs::path& path, std::string_view text) {
  std::string temporary = path.string() + ".XXXXXX";
  Result<> written;
  {
    const FileHandle file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
    if (file.fd < 0) return cannot_write(path);
    written = write_all(file.fd, text, path);
  }
  if (written && ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) != 0 &&
      errno != EEXIST) {
    // Some network file systems know no RENAME_NOREPLACE.
    if (errno != EINVAL || ::rename(temporary.c_str(), path.c_str()) != 0) written = cannot_write(path);
  }
  ::unlink(temporary.c_str());
  return written ? sync_folder(path.parent_path()) : written;
}

Result<> make_folder(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return cannot_write(folder);
  return {};
}

}  // namespace

Result<SigningKey> load_dev_key(const fs::path& folder) {
  const fs::path path = folder / kDevKeyFile;
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(ErrorKind::kNotFound, "not_found", "There is no development key in " + folder.string() + ".");
    }
    return unsafe("Cannot open the development key " + path.string() + ": " + std::strerror(errno) + ".");
  }
  struct stat status{};
  if (::fstat(file.fd, &status) != 0 || !S_ISREG(status.st_mode))
    return unsafe(path.string() + " is not a plain file.");
  if (status.st_uid != ::geteuid()) return unsafe(path.string() + " belongs to another user.");
  if ((status.st_mode & 0077) != 0) {
    return unsafe(path.string() +
                  " may be read by others: anyone who did can sign tokens. Delete it and let Parley make "
                  "a new one, or chmod 600 it if you are sure that nobody has.");
  }
  std::string pem(kMaxKeyFileBytes, '\0');
  std::size_t size = 0;
  while (size < pem.size()) {
    const ssize_t got = ::read(file.fd, pem.data() + size, pem.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  return SigningKey::from_pem(std::string_view(pem).substr(0, size));
}

Result<SigningKey> load_or_create_dev_key(const fs::path& folder) {
  auto existing = load_dev_key(folder);
  if (existing || existing.error().kind != ErrorKind::kNotFound) return existing;
  if (auto made = make_folder(folder); !made) return fail(std::move(made.error()));
  const auto key = SigningKey::generate(Algorithm::kEs256);
  if (!key) return fail(key.error());
  if (auto written = write_once(folder / kDevKeyFile, key->private_pem()); !written) {
    return fail(std::move(written.error()));
  }
  return load_dev_key(folder);
}

}  // namespace parley::auth
