// RedisClient: commands and scripts for one Redis, over a few connections of each loop, so that an answer never changes
// threads. Made once by the wiring; run(), tell() and ping() on any loop; destroyed after the loops have stopped.
//
// Never waits for a Redis that is known to be away: a connection that failed is tried again after a pause that grows to
// a second, by the next command that comes; until one is up, commands fail at once with kUnavailable. kTimeout when no
// answer came in time; what was sent may have been done all the same. A refusal (-ERR …) is kUnavailable too: its code
// is logged, never its text, which may repeat what was sent.
#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "base/result.h"
#include "base/task.h"
#include "drivers/redis/redis_link.h"
#include "drivers/redis/redis_protocol.h"

namespace parley::redis {

// A Lua script, known to Redis by its digest. Must outlive the client that runs it.
struct RedisScript {
  explicit RedisScript(std::string_view source);
  const std::string text;
  const std::string sha1;
};
struct RedisScriptCall {
  std::vector<std::string> keys;
  std::vector<std::string> arguments;
};

class RedisClient {
 public:
  // fail: invalid for a CA file that cannot be used. Connects when it is first asked for something.
  static Result<std::unique_ptr<RedisClient>> make(EventLoops& loops, RedisOptions options, Random& random);
  ~RedisClient();

  // `timeout`: from now, connecting included.
  Task<Result<RedisReply>> run(RedisCommand command, std::chrono::milliseconds timeout);
  // In one go as Redis does it, whether or not Redis has seen the script before.
  Task<Result<RedisReply>> run(const RedisScript& script, RedisScriptCall call, std::chrono::milliseconds timeout);
  // Nobody waits for it, and nobody learns whether it was done.
  void tell(const RedisScript& script, RedisScriptCall call, std::chrono::milliseconds timeout);
  Task<Result<>> ping(std::chrono::milliseconds timeout);

  const RedisOptions& options() const { return options_; }
  const RedisCounters& counters() const { return counters_; }

 private:
  using OnReply = RedisLink::OnReply;
  struct Slot;
  struct PerLoop;

  RedisClient(EventLoops& loops, RedisOptions options, std::shared_ptr<asio::ssl::context> tls, Random& random);
  void submit(std::string command, SteadyTime deadline, OnReply on_reply);
  void submit(const RedisScript& script, RedisScriptCall call, SteadyTime deadline, OnReply on_reply);
  // Null: all of this loop's connections are away, and it is too soon to try again.
  RedisLink* pick();
  void connect(Slot& slot, EventLoop& loop);
  // Puts away a link that has ended; whether a new one may be tried.
  bool may_connect(Slot& slot, SteadyTime now);
  Result<RedisReply> without_refusal(Result<RedisReply> reply);
  void report(std::string_view lost);

  const RedisOptions options_;
  const std::shared_ptr<asio::ssl::context> tls_;
  Random& random_;
  RedisCounters counters_;
  enum class Standing : std::uint8_t { kUnknown, kWell, kAway };
  std::atomic<Standing> standing_{Standing::kUnknown};  // as last logged
  std::atomic<std::int64_t> refusal_logged_s_{-60};
  std::vector<std::unique_ptr<PerLoop>> per_loop_;
};

}  // namespace parley::redis
