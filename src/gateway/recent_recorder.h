// RecentRecorder: tells search of queries that the gateway's cache answered, so that they stand among the user's recent
// searches as if search had answered them, of each user in the order in which they were asked. Nobody waits for it: at
// most kMostAtOnce are under way, what is beyond them or fails is counted and forgotten. record() from any thread;
// start() and stop() on the one loop that does the work; must be stopped before it is destroyed.
#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/event_loop.h"
#include "base/task_group.h"
#include "http/exchange.h"
#include "http/upstream.h"
#include "telemetry/metrics.h"

namespace parley::gateway {

class RecentRecorder {
 public:
  static constexpr std::size_t kMostAtOnce = 64;
  static constexpr std::size_t kMostOfOne = 8;  // user; beyond that its oldest goes, which would stand lowest

  // What is passed by reference must outlive this.
  RecentRecorder(http::Upstream& search, const Clock& clock, Metrics& metrics);

  void start(EventLoop& loop);
  void stop(std::move_only_function<void()> on_stopped);

  // With the token and the caller that `exchange` came with. `q` is valid UTF-8 and not empty.
  void record(const http::Exchange& exchange, std::string_view q);

 private:
  struct Note {
    std::string user;
    std::string authorization;
    std::optional<std::string> acting_for;
    std::string request_id;
    std::string body;
  };
  using Notes = std::deque<std::unique_ptr<Note>>;
  void drop();
  // All that the user has waiting.
  Task<> send_all(std::string user);
  Task<> send(const Note& note);

  http::Upstream& search_;
  const Clock& clock_;
  Counter& sent_;
  Counter& failed_;
  Counter& dropped_;
  std::atomic<EventLoop*> loop_{nullptr};
  std::atomic<std::size_t> under_way_{0};
  std::unique_ptr<TaskGroup> tasks_;
  // On the loop.
  bool stopping_ = false;
  std::unordered_map<std::string, Notes> waiting_;  // by user; there: one is on its way
};

}  // namespace parley::gateway
