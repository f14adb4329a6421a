#include "drivers/sqlite/folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/durable_folder.h"

namespace parley::sqlite {

namespace {

std::unexpected<Error> unusable(const std::filesystem::path& folder, const std::string& why) {
  return unavailable("folder_unusable", fmt::format("{}: {}", folder.string(), why));
}

}  // namespace

Result<LockedFolder> LockedFolder::open(const std::filesystem::path& folder) {
  if (const std::error_code failed = make_durable_folder(folder)) return unusable(folder, failed.message());
  if (::chmod(folder.c_str(), 0700) != 0) return unusable(folder, std::strerror(errno));
  const int fd = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return unusable(folder, std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    return unavailable("folder_locked", fmt::format("{} is in use by another server.", folder.string()));
  }
  return LockedFolder(folder, fd);
}

LockedFolder::~LockedFolder() {
  if (fd_ >= 0) ::close(fd_);
}

LockedFolder::LockedFolder(LockedFolder&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

}  // namespace parley::sqlite
