// ShownFiles: a messaging that says which files its messages show to whom. For tests.
#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "media/file_rights.h"

namespace parley::media::testing {

class ShownFiles final : public AttachmentAccess {
 public:
  Task<Result<bool>> shows(Reader reader, FileId file, SteadyTime) override {
    ++asked;
    const std::lock_guard lock(mutex_);
    if (fault_) co_return fail(*fault_);
    co_return shown_.contains({reader.tenant.value, reader.user.value, file.value});
  }
  void show(std::string user, const FileId& file, std::string tenant = "acme") {
    const std::lock_guard lock(mutex_);
    shown_.insert({std::move(tenant), std::move(user), file.value});
  }
  void hide_all() {
    const std::lock_guard lock(mutex_);
    shown_.clear();
  }
  void fail_with(std::optional<Error> fault) {
    const std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  std::atomic<int> asked{0};

 private:
  std::mutex mutex_;
  std::set<std::tuple<std::string, std::string, std::string>> shown_;
  std::optional<Error> fault_;
};

}  // namespace parley::media::testing
