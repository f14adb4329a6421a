// A role's data folder: made private (0700), and locked for as long as the object lives, so that two servers never
// share one. fail: kUnavailable with code "folder_locked" or "folder_unusable"; the detail names the folder, for the
// operator.
#pragma once
#include <filesystem>

#include "base/result.h"

namespace parley::sqlite {

class LockedFolder {
 public:
  static Result<LockedFolder> open(const std::filesystem::path& folder);
  ~LockedFolder();
  LockedFolder(LockedFolder&& other) noexcept;
  LockedFolder& operator=(LockedFolder&&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  LockedFolder(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::filesystem::path path_;
  int fd_;
};

}  // namespace parley::sqlite
