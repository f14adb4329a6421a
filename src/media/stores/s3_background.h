// S3Background: what goes on behind a caller's back on the loop it was begun on: pieces on their way, pieces that are
// needed no more. Owned by S3BlobStore; any loop.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "base/task_group.h"

namespace parley::media {

class S3Background {
 public:
  // On a loop, which runs the task.
  void spawn(Task<> task) { here().spawn(std::move(task)); }
  // Any thread, once nobody spawns any more: calls `ended` when nothing runs any more, on one of the loops that were
  // used (or at once, here, if there was none).
  void close(std::function<void()> ended) {
    const std::lock_guard lock(mutex_);
    if (groups_.empty()) return ended();
    auto left = std::make_shared<std::atomic<std::size_t>>(groups_.size());
    for (auto& [loop, group] : groups_) {
      loop->post([&tasks = *group, left, ended] {
        tasks.drain([left, ended] {
          if (--*left == 0) ended();
        });
      });
    }
  }

 private:
  TaskGroup& here() {
    EventLoop& loop = EventLoop::current();
    const std::lock_guard lock(mutex_);
    std::unique_ptr<TaskGroup>& group = groups_[&loop];
    if (!group) group = std::make_unique<TaskGroup>(loop);
    return *group;
  }
  std::mutex mutex_;
  std::map<EventLoop*, std::unique_ptr<TaskGroup>> groups_;
};

}  // namespace parley::media
