#include "auth/key_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/durable_folder.h"
#include "base/text.h"

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

std::unexpected<Error> cannot_write(const fs::path& path, std::string_view what,
                                    std::error_code why = {errno, std::generic_category()}) {
  return fail(ErrorKind::kInternal, "internal_error",
              "Cannot write " + std::string(what) + " to " + path.string() + ": " + why.message() + ".");
}

std::unexpected<Error> unsafe(std::string detail) {
  return fail(ErrorKind::kForbidden, "unsafe_key", std::move(detail));
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0;
}

// Renames, unless something is there already.
bool put_in_place(const std::string& temporary, const fs::path& path) {
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno == EEXIST) return true;
  // Some network file systems know no RENAME_NOREPLACE.
  return errno == EINVAL && ::rename(temporary.c_str(), path.c_str()) == 0;
}

}  // namespace

Result<std::string> read_key_file(const fs::path& path, std::string_view what) {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return fail(ErrorKind::kNotFound, "not_found", "There is no " + path.string() + ".");
    }
    return unsafe("Cannot open " + std::string(what) + " " + path.string() + ": " + std::strerror(errno) + ".");
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
  std::string text(kMaxKeyFileBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Result<> write_key_file_once(const fs::path& path, std::string_view text, std::string_view what) {
  const fs::path folder = path.parent_path();
  if (const std::error_code failed = make_durable_folder(folder)) return cannot_write(folder, what, failed);
  std::string temporary = path.string() + ".XXXXXX";
  Result<> written;
  {
    const FileHandle file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
    if (file.fd < 0) return cannot_write(path, what);
    if (!write_all(file.fd, text)) written = cannot_write(path, what);
  }
  if (written && !put_in_place(temporary, path)) written = cannot_write(path, what);
  ::unlink(temporary.c_str());
  if (!written) return written;
  if (const std::error_code failed = sync_folder(folder)) return cannot_write(folder, what, failed);
  return written;
}

Result<Secret> load_secret_file(const std::filesystem::path& path, std::string_view what) {
  auto text = read_key_file(path, what);
  if (!text) return fail(std::move(text.error()));
  while (text->ends_with('\n')) text->pop_back();
  bool visible = text->size() >= kMinSecretBytes && text->size() <= kMaxSecretBytes;
  for (const char c : *text) visible = visible && c > ' ' && c <= '~';
  if (visible) return Secret(std::move(*text));
  return fail(ErrorKind::kInvalid, "bad_key",
              path.string() + " holds no key: delete it and let Parley make a new one.");
}

Result<Secret> load_or_create_secret_file(const std::filesystem::path& path, std::string_view what, Random& random) {
  auto existing = load_secret_file(path, what);
  if (existing || existing.error().kind != ErrorKind::kNotFound) return existing;
  std::array<std::uint8_t, 32> bytes{};
  random.fill(bytes);
  // As text, so that it may be copied into a setting.
  if (auto written = write_key_file_once(path, base64url_encode(bytes) + "\n", what); !written) {
    return fail(std::move(written.error()));
  }
  return load_secret_file(path, what);
}

}  // namespace parley::auth
