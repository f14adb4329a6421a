// FakeFiles: what media would tell of files, as a test says it. Counts how often it was asked.
#pragma once
#include <map>
#include <optional>
#include <string>

#include "messaging/attached_files.h"

namespace parley::messaging::testing {

class FakeFiles final : public AttachedFiles {
 public:
  void of(const std::string& user, const std::string& id, std::string filename) {
    known_[id] = {user, {FileId(id), std::move(filename), 12, "application/octet-stream"}};
  }
  void forget(const std::string& id) { known_.erase(id); }

  Task<Result<std::vector<AttachedFile>>> readable(Caller caller, std::vector<FileId> files, RequestTrace,
                                                   SteadyTime) override {
    ++asked;
    if (error) co_return fail(*error);
    std::vector<AttachedFile> found;
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
      const auto known = known_.find(file->value);
      if (known != known_.end() && known->second.first == caller.user.value) found.push_back(known->second.second);
    }
    co_return found;
  }

  int asked = 0;
  std::optional<Error> error;

 private:
  std::map<std::string, std::pair<std::string, AttachedFile>> known_;
};

}  // namespace parley::messaging::testing
