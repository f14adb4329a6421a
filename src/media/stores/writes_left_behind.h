// WritesLeftBehind: the blobs whose writer went while a write of its was still under way, past every deadline, on a
// disk that hangs. Such a write may land at any time, so nobody else writes or seals that blob before it has ended.
// Owned by FileBlobStore; any thread. A hold must go before this.
#pragma once
#include <memory>
#include <mutex>
#include <unordered_map>

#include "base/ids.h"

namespace parley::media {

class WritesLeftBehind {
 public:
  // Gives the blob free as it goes.
  class Hold {
   public:
    Hold(WritesLeftBehind& owner, FileId id) : owner_(owner), id_(std::move(id)) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { owner_.leave(id_); }

   private:
    WritesLeftBehind& owner_;
    const FileId id_;
  };

  std::unique_ptr<Hold> hold(const FileId& id) {
    {
      const std::lock_guard lock(mutex_);
      ++held_[id];
    }
    return std::make_unique<Hold>(*this, id);
  }
  bool has(const FileId& id) const {
    const std::lock_guard lock(mutex_);
    return held_.contains(id);
  }

 private:
  void leave(const FileId& id) {
    const std::lock_guard lock(mutex_);
    const auto held = held_.find(id);
    if (--held->second == 0) held_.erase(held);
  }

  mutable std::mutex mutex_;
  std::unordered_map<FileId, int> held_;  // how many writes of each
};

}  // namespace parley::media
