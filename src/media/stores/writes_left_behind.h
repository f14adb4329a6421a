// WritesLeftBehind: the blobs whose writer went while a write of its was still under way, past every deadline, on a
// disk that hangs. Such a write may land at any time, so whoever writes or seals that blob next waits for its end.
// Owned by FileBlobStore; any thread. A hold must go before this.
#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/one_shot.h"

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
      ++held_[id].writes;
    }
    return std::make_unique<Hold>(*this, id);
  }
  // On a loop. Answers when no hold of that blob is left; `unavailable` when the deadline passes first.
  Task<Result<>> wait_for_the_last(FileId id, SteadyTime deadline) {
    while (auto gone = end_of(id)) {
      if (co_await gone->wait(deadline)) continue;  // another may have been left behind since
      co_return unavailable("unavailable",
                            "The disk has not ended an earlier write to this file yet; try again shortly.");
    }
    co_return Result<>();
  }

 private:
  struct Held {
    int writes = 0;
    std::vector<OneShotPromise<void>> waiting;
  };

  // Nothing: none is held.
  std::optional<OneShotFuture<void>> end_of(const FileId& id) {
    const std::lock_guard lock(mutex_);
    const auto held = held_.find(id);
    if (held == held_.end()) return std::nullopt;
    auto [promise, future] = make_one_shot<void>(EventLoop::current());
    held->second.waiting.push_back(std::move(promise));
    return std::move(future);
  }

  void leave(const FileId& id) {
    std::vector<OneShotPromise<void>> waiting;
    {
      const std::lock_guard lock(mutex_);
      const auto held = held_.find(id);
      if (--held->second.writes > 0) return;
      waiting = std::move(held->second.waiting);
      held_.erase(held);
    }
    for (OneShotPromise<void>& promise : waiting) promise.deliver({});
  }

  std::mutex mutex_;
  std::unordered_map<FileId, Held> held_;
};

}  // namespace parley::media
