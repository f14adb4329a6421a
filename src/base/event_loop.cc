#include "base/event_loop.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/check.h"

namespace parley {

namespace {
thread_local EventLoop* current_loop = nullptr;
}

Deadline::Deadline(EventLoop& loop, std::move_only_function<void()> on_expiry)
    : loop_(loop), on_expiry_(std::move(on_expiry)), slot_(loop.deadlines_.size()) {
  loop.deadlines_.push_back(this);
}

Deadline::~Deadline() {
  auto& all = loop_.deadlines_;
  all[slot_] = all.back();
  all[slot_]->slot_ = slot_;
  all.pop_back();
}

EventLoop::EventLoop(std::size_t index) : index_(index) {}
EventLoop::~EventLoop() = default;

EventLoop& EventLoop::current() {
  CHECK(current_loop != nullptr);
  return *current_loop;
}

EventLoop* EventLoop::current_or_null() {
  return current_loop;
}

void EventLoop::post(std::move_only_function<void()> fn) {
  asio::post(io_, std::move(fn));
}

void EventLoop::run() {
  current_loop = this;
  asio::co_spawn(io_, sweep_forever(), asio::detached);
  io_.run();
  current_loop = nullptr;
}

void EventLoop::stop() {
  io_.stop();
}

void EventLoop::sweep(SteadyTime now) {
  coarse_now_ = now;
  // An expiry handler may destroy deadlines, itself included: the last takes the freed slot, so look at a slot again
  // until what stands there is not due.
  for (std::size_t i = 0; i < deadlines_.size();) {
    Deadline* const deadline = deadlines_[i];
    if (deadline->at_ > now) {
      ++i;
      continue;
    }
    deadline->disarm();
    deadline->on_expiry_();
  }
}

Task<> EventLoop::sweep_forever() {
  asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>
      timer(io_);
  for (;;) {
    sweep(std::chrono::steady_clock::now());
    timer.expires_after(kSweepInterval);
    co_await timer.async_wait(kAwait);
  }
}

EventLoops::EventLoops(std::size_t count) {
  CHECK(count > 0);
  for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<EventLoop>(i));
}

EventLoops::~EventLoops() {
  stop();
}

void EventLoops::start() {
  for (auto& loop : loops_) {
    threads_.emplace_back([&loop] { loop->run(); });
  }
}

void EventLoops::stop() {
  for (auto& loop : loops_) loop->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace parley
