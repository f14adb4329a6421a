// LoopGate: at most so many at once, on one loop; who comes later waits in line until its deadline. Lives and is called
// on one loop, and outlives its passes.
#pragma once
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

#include "base/one_shot.h"

namespace parley::s3 {

class LoopGate {
  struct Waiter;

 public:
  LoopGate(std::size_t limit, std::size_t most_waiting) : free_(limit), most_waiting_(most_waiting) {}

  class Pass {
   public:
    Pass() = default;
    explicit Pass(LoopGate& gate) : gate_(&gate) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    LoopGate* gate_ = nullptr;
  };
  // unavailable `overloaded` when the line is full, or the deadline passes first.
  Task<Result<Pass>> enter(SteadyTime deadline);
  std::size_t waiting() const { return waiting_.size(); }

 private:
  void leave();

  std::size_t free_;
  const std::size_t most_waiting_;
  std::deque<std::shared_ptr<Waiter>> waiting_;
};

}  // namespace parley::s3
