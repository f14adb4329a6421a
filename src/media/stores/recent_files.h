// RecentFiles: what was read of files lately, so that a file that many ask for is not read from the database for each.
// Never older than the last commit: the writer takes out what a commit changed before anybody hears of the commit, and
// a read that was under way meanwhile is not kept. Bounded. Any thread.
#pragma once
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "media/types.h"

namespace parley::media {

class RecentFiles {
 public:
  explicit RecentFiles(std::size_t limit) : limit_(limit) {}

  std::optional<File> find(const TenantId& tenant, const FileId& id);

  // A read says when it begins, before its snapshot, and keeps what it found unless something was forgotten since.
  std::uint64_t begin_read() const;
  void keep(const File& file, std::uint64_t began);
  // Called by the writer once `ids` have changed for good.
  void forget(const std::vector<FileId>& ids);

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::uint64_t forgotten_ = 0;  // how often
  std::list<File> files_;        // last used first
  std::unordered_map<FileId, std::list<File>::iterator> by_id_;
};

}  // namespace parley::media
