#include "base/durable_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace parley {

namespace fs = std::filesystem;

namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

std::error_code make_one(const fs::path& folder, mode_t mode,
                         const std::function<std::error_code(const fs::path&)>& sync) {
  std::error_code error;
  if (fs::is_directory(folder, error)) return {};
  const fs::path above = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  if (above != folder && !fs::is_directory(above, error)) {
    if (const std::error_code failed = make_one(above, 0777, sync)) return failed;
  }
  // Another process may be making it too: then it syncs, and so do we.
  if (::mkdir(folder.c_str(), mode) != 0) {
    const std::error_code failed = last_error();
    if (!fs::is_directory(folder, error)) return failed;
  }
  return sync(above);
}

}  // namespace

std::error_code sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return last_error();
  const std::error_code failed = ::fsync(fd) == 0 ? std::error_code() : last_error();
  ::close(fd);
  return failed;
}

std::error_code make_durable_folder(const fs::path& folder,
                                    const std::function<std::error_code(const fs::path&)>& sync) {
  // Without the last slash, which would make it its own parent.
  return make_one(folder.has_filename() ? folder : folder.parent_path(), 0700, sync);
}

}  // namespace parley
