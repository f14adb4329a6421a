#include "import/send_lanes.h"

#include <algorithm>
#include <utility>

namespace parley::import {

SendLanes::SendLanes(std::size_t lanes, Send send) : send_(std::move(send)), lanes_(lanes) {
  for (std::size_t i = 0; i < lanes; ++i) lanes_[i].thread = std::thread([this, i] { run(i); });
}

SendLanes::Lane& SendLanes::lane_for(const ConversationId& id) {
  for (Lane& lane : lanes_) {
    if (std::ranges::find(lane.holding, id) != lane.holding.end()) return lane;
  }
  return *std::ranges::min_element(lanes_, {}, [](const Lane& lane) { return lane.holding.size(); });
}

bool SendLanes::submit(Batch batch) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (failed_) return false;
    Lane& lane = lane_for(batch.conversation.id);
    if (lane.queue.size() < kQueued) {
      lane.holding.push_back(batch.conversation.id);
      lane.queue.push_back(std::move(batch));
      changed_.notify_all();
      return true;
    }
    changed_.wait(lock);
  }
}

void SendLanes::run(std::size_t number) {
  Lane& lane = lanes_[number];
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return failed_ || closing_ || !lane.queue.empty(); });
    if (failed_ || lane.queue.empty()) return;
    Batch batch = std::move(lane.queue.front());
    lane.queue.pop_front();
    changed_.notify_all();
    lock.unlock();
    const bool sent = send_(number, std::move(batch));
    lock.lock();
    lane.holding.erase(lane.holding.begin());
    failed_ = failed_ || !sent;
    changed_.notify_all();
  }
}

void SendLanes::finish() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  for (Lane& lane : lanes_) {
    if (lane.thread.joinable()) lane.thread.join();
  }
}

}  // namespace parley::import
