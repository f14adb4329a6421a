// RedisLink: one connection to Redis, from its making to its end; it is never opened again. Commands that come while
// others are being written go out together in the next write (a pipeline), and answers are matched in order. Lives on
// one loop and is used there alone; held by its RedisClient, and by its own operations until they have ended.
//
// Every command is told its end once: the reply, or kTimeout at its deadline (to the millisecond), or kUnavailable when
// the link is lost. One whose answer is given up keeps its place, so that later answers meet their commands. A Redis
// that says nothing for `timeout` while an answer is owed counts as lost.
#pragma once
#include <array>
#include <atomic>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "drivers/redis/redis_address.h"
#include "drivers/redis/redis_protocol.h"

namespace parley::redis {

struct RedisOptions {
  RedisAddress address;
  std::string ca_file;                       // for rediss, instead of the system's authorities
  std::size_t connections_per_loop = 2;      // ≥ 1
  std::chrono::milliseconds timeout{500};    // to connect, and for Redis to say anything while an answer is owed
  std::size_t most_commands = 1024;          // of a connection, waiting or unanswered; beyond it: kUnavailable
  std::size_t most_bytes = 8 * 1024 * 1024;  // of a reply, and of what waits to be written
};

struct RedisCounters {
  std::atomic<std::int64_t> open_connections{0};
  std::atomic<std::uint64_t> connects{0};
  std::atomic<std::uint64_t> connect_failures{0};
  std::atomic<std::uint64_t> lost_connections{0};
  std::atomic<std::uint64_t> commands{0};
  std::atomic<std::uint64_t> writes{0};    // each carries one pipeline
  std::atomic<std::uint64_t> failures{0};  // commands without an answer, timeouts included
  std::atomic<std::uint64_t> timeouts{0};
};

// What callers are told; neither names a host or repeats what Redis said.
std::unexpected<Error> redis_away();
std::unexpected<Error> redis_too_late();

class RedisLink : public std::enable_shared_from_this<RedisLink> {
 public:
  using OnReply = std::move_only_function<void(Result<RedisReply>)>;
  // Empty: the link is up. Else why it is lost, in words for the log.
  using OnChange = std::function<void(std::string_view lost)>;

  // What is passed by reference must outlive the last call of close().
  RedisLink(EventLoop& loop, const RedisOptions& options, asio::ssl::context* tls, RedisCounters& counters,
            OnChange on_change);
  ~RedisLink();

  void connect();
  // Takes it while the link connects, too: it goes out once it is up. `command` as append_command() makes it.
  void submit(std::string command, SteadyTime deadline, OnReply on_reply);
  // From any thread once its loop has stopped. Whoever still waits is told; later submits are, too.
  void close();

  bool is_ready() const { return state_ == State::kReady; }
  bool is_dead() const { return state_ == State::kDead; }
  std::size_t outstanding() const { return waiting_.size() + sent_.size(); }
  // When it became ready; nullopt: never.
  std::optional<SteadyTime> ready_since() const { return ready_since_; }

 private:
  using Socket = asio::basic_stream_socket<asio::ip::tcp, LoopExecutor>;
  using Endpoints = std::vector<asio::ip::tcp::endpoint>;
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, LoopExecutor>;
  enum class State : std::uint8_t { kNew, kConnecting, kReady, kDead };
  struct Command {
    std::string bytes;  // empty once sent
    SteadyTime deadline;
    SteadyTime sent_at{};
    OnReply on_reply;  // null: given up
  };

  static Task<> open(std::shared_ptr<RedisLink> self);
  Task<Endpoints> resolve();
  Task<bool> connect_to(asio::ip::tcp::endpoint endpoint);
  void shake_hands();
  void greet(RedisCommand command, bool last);
  void lose(std::string_view why);
  void fail_all(std::vector<OnReply> dropped);

  void flush_soon();
  void flush();
  void read();
  void take(std::size_t size);
  template <class Handler>
  void async_write(Handler handler);
  template <class Handler>
  void async_read(Handler handler);

  void wake_at(SteadyTime at);
  void look_at_the_time();
  void drop_overdue(SteadyTime now);

  EventLoop& loop_;
  const RedisOptions& options_;
  asio::ssl::context* const tls_context_;  // null: plain
  RedisCounters& counters_;
  const OnChange on_change_;

  Socket socket_;
  std::unique_ptr<asio::ssl::stream<Socket&>> tls_;
  Timer timer_;
  SteadyTime wakes_at_ = SteadyTime::max();
  State state_ = State::kNew;
  SteadyTime connect_until_ = SteadyTime::max();
  std::optional<SteadyTime> ready_since_;
  SteadyTime last_heard_{};

  std::deque<Command> waiting_;
  std::deque<Command> sent_;  // unanswered, in order
  std::size_t waiting_bytes_ = 0;
  std::string out_;
  bool writing_ = false;
  bool flush_is_due_ = false;
  RedisReplyReader reader_;
  std::array<char, 16 * 1024> in_;
};

}  // namespace parley::redis
