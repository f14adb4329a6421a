#include "drivers/redis/redis_client.h"

#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <limits>

#include "base/check.h"
#include "base/one_shot.h"
#include "base/text.h"
#include "resilience/retry.h"
#include "telemetry/log.h"

namespace parley::redis {

namespace {

// A connection that lived this long was a good one: the next may be tried at once.
constexpr std::chrono::seconds kGoodLife{1};
constexpr RetryPolicy kReconnect{.base_delay = std::chrono::milliseconds(50),
                                 .max_delay = std::chrono::milliseconds(1'000)};
constexpr unsigned kMostDoublings = 8;
constexpr std::int64_t kRefusalsLoggedEverySeconds = 10;

std::string sha1_of(std::string_view text) {
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return hex_encode(digest);
}

Result<std::shared_ptr<asio::ssl::context>> make_tls(const std::string& ca_file) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context->native_handle(), SSL_OP_NO_RENEGOTIATION);
  boost::system::error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
  }
  if (error) return invalid_field("REDIS_CA_FILE", "cannot be used as PEM certificate authorities");
  return context;
}

std::string script_command(std::string_view verb, std::string script, const RedisScriptCall& call) {
  RedisCommand command{std::string(verb), std::move(script), std::to_string(call.keys.size())};
  command.insert(command.end(), call.keys.begin(), call.keys.end());
  command.insert(command.end(), call.arguments.begin(), call.arguments.end());
  std::string bytes;
  append_command(bytes, command);
  return bytes;
}

bool is_refusal(const Result<RedisReply>& reply) {
  return reply && reply->kind == RedisReply::Kind::kError;
}

}  // namespace

RedisScript::RedisScript(std::string_view source) : text(source), sha1(sha1_of(source)) {}

// A place for one connection, and when the next may be tried.
struct RedisClient::Slot {
  std::shared_ptr<RedisLink> link;
  SteadyTime not_before = SteadyTime::min();
  unsigned failures = 0;
};

struct RedisClient::PerLoop {
  explicit PerLoop(EventLoop& of) : loop(of) {}
  EventLoop& loop;
  std::vector<Slot> slots;
};

Result<std::unique_ptr<RedisClient>> RedisClient::make(EventLoops& loops, RedisOptions options, Random& random) {
  CHECK(options.connections_per_loop > 0 && options.timeout.count() > 0 && options.most_commands > 0);
  std::shared_ptr<asio::ssl::context> tls;
  if (options.address.tls) {
    auto made = make_tls(options.ca_file);
    if (!made) return fail(std::move(made.error()));
    tls = std::move(*made);
  }
  return std::unique_ptr<RedisClient>(new RedisClient(loops, std::move(options), std::move(tls), random));
}

RedisClient::RedisClient(EventLoops& loops, RedisOptions options, std::shared_ptr<asio::ssl::context> tls,
                         Random& random)
    : options_(std::move(options)), tls_(std::move(tls)), random_(random) {
  for (std::size_t i = 0; i < loops.size(); ++i) {
    per_loop_.push_back(std::make_unique<PerLoop>(loops.at(i)));
    per_loop_.back()->slots.resize(options_.connections_per_loop);
  }
}

RedisClient::~RedisClient() {
  for (const auto& here : per_loop_) {
    for (Slot& slot : here->slots) {
      if (slot.link) slot.link->close();
    }
  }
}

// --- connections
// ------------------------------------------------------------------------------------------------------

bool RedisClient::may_connect(Slot& slot, SteadyTime now) {
  if (slot.link && slot.link->is_dead()) {
    const auto ready_since = slot.link->ready_since();
    slot.failures = ready_since && now - *ready_since >= kGoodLife ? 0 : slot.failures + 1;
    slot.not_before = now;
    if (slot.failures > 0) {
      slot.not_before += retry_delay(kReconnect, std::min(slot.failures, kMostDoublings), random_);
    }
    slot.link.reset();
  }
  return !slot.link && now >= slot.not_before;
}

void RedisClient::connect(Slot& slot, EventLoop& loop) {
  slot.link = std::make_shared<RedisLink>(loop, options_, tls_.get(), counters_,
                                          [this](std::string_view lost) { report(lost); });
  slot.link->connect();
}

RedisLink* RedisClient::pick() {
  PerLoop& here = *per_loop_[EventLoop::current().index()];
  CHECK(&here.loop == &EventLoop::current());
  const SteadyTime now = std::chrono::steady_clock::now();
  Slot* least = nullptr;  // of those that are up, or coming up when none is
  Slot* free = nullptr;
  for (Slot& slot : here.slots) {
    if (may_connect(slot, now)) {
      if (free == nullptr) free = &slot;
    } else if (slot.link) {
      const auto rank = [](const RedisLink& link) { return std::pair(!link.is_ready(), link.outstanding()); };
      if (least == nullptr || rank(*slot.link) < rank(*least->link)) least = &slot;
    }
  }
  // A further connection once those that there are have something to do.
  if (free != nullptr && (least == nullptr || least->link->outstanding() > 0)) {
    connect(*free, here.loop);
    if (least == nullptr) least = free;
  }
  // While the last one failed, nobody waits for the next to come up.
  if (least == nullptr || (!least->link->is_ready() && least->failures > 0)) return nullptr;
  return least->link.get();
}

void RedisClient::report(std::string_view lost) {
  const Standing now = lost.empty() ? Standing::kWell : Standing::kAway;
  const Standing before = standing_.exchange(now, std::memory_order_relaxed);
  if (now == before) return;
  if (now == Standing::kAway) {
    log_warn("redis is lost", {{"address", options_.address.authority()}, {"reason", lost}});
  } else if (before == Standing::kAway) {
    log_info("redis is back", {{"address", options_.address.authority()}});
  }
}

// --- commands
// ---------------------------------------------------------------------------------------------------------

void RedisClient::submit(std::string command, SteadyTime deadline, OnReply on_reply) {
  if (RedisLink* const link = pick()) return link->submit(std::move(command), deadline, std::move(on_reply));
  counters_.commands.fetch_add(1, std::memory_order_relaxed);
  counters_.failures.fetch_add(1, std::memory_order_relaxed);
  on_reply(redis_away());
}

void RedisClient::submit(const RedisScript& script, RedisScriptCall call, SteadyTime deadline, OnReply on_reply) {
  std::string command = script_command("EVALSHA", script.sha1, call);
  submit(std::move(command), deadline,
         [this, &script, call = std::move(call), deadline,
          on_reply = std::move(on_reply)](Result<RedisReply> reply) mutable {
           if (!is_refusal(reply) || reply->error_code() != "NOSCRIPT") return on_reply(std::move(reply));
           // Redis was started anew, or forgot its scripts: this teaches it.
           submit(script_command("EVAL", script.text, call), deadline, std::move(on_reply));
         });
}

Result<RedisReply> RedisClient::without_refusal(Result<RedisReply> reply) {
  if (!is_refusal(reply)) return reply;
  const std::int64_t now_s =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
  std::int64_t last = refusal_logged_s_.load(std::memory_order_relaxed);
  if (now_s - last >= kRefusalsLoggedEverySeconds && refusal_logged_s_.compare_exchange_strong(last, now_s)) {
    log_warn("redis refused a command", {{"code", reply->error_code()}});
  }
  counters_.failures.fetch_add(1, std::memory_order_relaxed);
  return redis_away();
}

Task<Result<RedisReply>> RedisClient::run(RedisCommand command, std::chrono::milliseconds timeout) {
  std::string bytes;
  append_command(bytes, command);
  auto answer = make_one_shot<RedisReply>(EventLoop::current());
  submit(std::move(bytes), std::chrono::steady_clock::now() + timeout,
         [promise = std::move(answer.first)](Result<RedisReply> reply) mutable { promise.deliver(std::move(reply)); });
  co_return without_refusal(co_await answer.second.wait(SteadyTime::max()));
}

Task<Result<RedisReply>> RedisClient::run(const RedisScript& script, RedisScriptCall call,
                                          std::chrono::milliseconds timeout) {
  auto answer = make_one_shot<RedisReply>(EventLoop::current());
  submit(script, std::move(call), std::chrono::steady_clock::now() + timeout,
         [promise = std::move(answer.first)](Result<RedisReply> reply) mutable { promise.deliver(std::move(reply)); });
  co_return without_refusal(co_await answer.second.wait(SteadyTime::max()));
}

void RedisClient::tell(const RedisScript& script, RedisScriptCall call, std::chrono::milliseconds timeout) {
  submit(script, std::move(call), std::chrono::steady_clock::now() + timeout,
         [this](Result<RedisReply> reply) { (void)without_refusal(std::move(reply)); });
}

Task<Result<>> RedisClient::ping(std::chrono::milliseconds timeout) {
  auto reply = co_await run({"PING"}, timeout);
  if (!reply) co_return fail(std::move(reply.error()));
  co_return Result<>();
}

}  // namespace parley::redis
