#include "media/stores/s3_open_blobs.h"

namespace parley::media {

std::optional<S3OpenBlobs::Use> S3OpenBlobs::open(const FileId& id) {
  const std::lock_guard lock(mutex_);
  State& state = blobs_[id];
  if (state.is_removed) return std::nullopt;
  ++state.readers;
  return Use(*this, id);
}

bool S3OpenBlobs::put_off_removal(const FileId& id) {
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(id);
  if (found == blobs_.end() || found->second.readers == 0) return true;
  found->second.is_removed = true;
  return false;
}

bool S3OpenBlobs::is_removed(const FileId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = blobs_.find(id);
  return found != blobs_.end() && found->second.is_removed;
}

void S3OpenBlobs::forget(const FileId& id) {
  const std::lock_guard lock(mutex_);
  blobs_.erase(id);
}

void S3OpenBlobs::close(const FileId& id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find(id);
    if (--found->second.readers > 0) return;
    if (!found->second.is_removed) {
      blobs_.erase(found);
      return;
    }
  }
  remove_now_(id);
}

}  // namespace parley::media
