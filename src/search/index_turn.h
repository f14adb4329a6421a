// IndexTurn: who may write to the index now: the indexer for one batch, or the reindexer for one page of the store.
// Between reading a page and adding it no event is applied, so what was read is never older than what is indexed.
// First come, first served. Lives on one event loop, and all of it is called there.
#pragma once
#include <deque>
#include <memory>
#include <optional>

#include "base/one_shot.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::search {

class IndexTurn {
 public:
  // The turn, until it is destroyed.
  class Held {
   public:
    explicit Held(IndexTurn& turn) : turn_(&turn) {}
    Held(Held&& other) noexcept : turn_(std::exchange(other.turn_, nullptr)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (turn_ != nullptr) turn_->pass_on();
    }

   private:
    IndexTurn* turn_;
  };

  // Fails with deadline_exceeded.
  Task<Result<Held>> take(SteadyTime deadline);

 private:
  struct Given {};
  struct Waiter {
    std::optional<OneShotPromise<Given>> promise;
    bool given = false;
    bool gone = false;  // the deadline was first
  };
  void pass_on();

  bool taken_ = false;
  std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace parley::search
