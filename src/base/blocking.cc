#include "base/blocking.h"

#include <pthread.h>

#include "base/check.h"

namespace parley {

BlockingPool::BlockingPool(std::string name, std::size_t threads, std::size_t queue_limit) : queue_limit_(queue_limit) {
  CHECK(threads > 0 && queue_limit > 0 && name.size() <= 15);
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work_until_closed(); });
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool BlockingPool::try_submit(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_ || queue_.size() >= queue_limit_) return false;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

std::size_t BlockingPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void BlockingPool::work_until_closed() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      work();
    } catch (...) {
      // Out of memory, say. It costs this work alone: the promise it holds answers "internal error" as it goes.
    }
    work = nullptr;
    lock.lock();
  }
}

}  // namespace parley
