#include "media/stores/recent_files.h"

namespace parley::media {

std::optional<File> RecentFiles::find(const TenantId& tenant, const FileId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end() || found->second->tenant != tenant) return std::nullopt;
  files_.splice(files_.begin(), files_, found->second);
  return files_.front();
}

std::uint64_t RecentFiles::begin_read() const {
  const std::lock_guard lock(mutex_);
  return forgotten_;
}

void RecentFiles::keep(const File& file, std::uint64_t began) {
  const std::lock_guard lock(mutex_);
  if (began != forgotten_ || by_id_.contains(file.id)) return;
  files_.push_front(file);
  by_id_.emplace(file.id, files_.begin());
  if (files_.size() <= limit_) return;
  by_id_.erase(files_.back().id);
  files_.pop_back();
}

void RecentFiles::forget(const std::vector<FileId>& ids) {
  const std::lock_guard lock(mutex_);
  ++forgotten_;
  for (const FileId& id : ids) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end()) continue;
    files_.erase(found->second);
    by_id_.erase(found);
  }
}

}  // namespace parley::media
