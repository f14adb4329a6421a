// SendLanes: a few threads that send batches, so that the server's group commit has company to wait for. Batches of one
// conversation go one after the other, in the order given. Owned by the reader's thread, which waits when all are busy.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "import/batch.h"

namespace parley::import {

class SendLanes {
 public:
  // Answers false to end the import. Called on the lane's own thread, with the lane's number.
  using Send = std::function<bool(std::size_t lane, Batch batch)>;
  static constexpr std::size_t kQueued = 2;  // batches waiting in a lane, besides the one being sent

  SendLanes(std::size_t lanes, Send send);
  ~SendLanes() { finish(); }

  // Waits for room. False when a batch has failed: the rest is dropped.
  bool submit(Batch batch);
  // Sends what is queued (unless one failed) and joins. Idempotent.
  void finish();

 private:
  struct Lane {
    std::deque<Batch> queue;
    std::vector<ConversationId> holding;  // the conversations of what is queued or being sent
    std::thread thread;
  };

  Lane& lane_for(const ConversationId& id);
  void run(std::size_t number);

  const Send send_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Lane> lanes_;
  bool closing_ = false;
  bool failed_ = false;
};

}  // namespace parley::import
