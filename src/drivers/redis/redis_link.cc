#include "drivers/redis/redis_link.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

#include "base/one_shot.h"

namespace parley::redis {

namespace {
// One write takes about this much; what is more follows in the next.
constexpr std::size_t kWriteBytes = 256 * 1024;
}  // namespace

std::unexpected<Error> redis_away() {
  return unavailable("unavailable", "A store that this needs cannot be reached at the moment; try again shortly.");
}

std::unexpected<Error> redis_too_late() {
  return fail(ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the answer came.");
}

RedisLink::RedisLink(EventLoop& loop, const RedisOptions& options, asio::ssl::context* tls, RedisCounters& counters,
                     OnChange on_change)
    : loop_(loop),
      options_(options),
      tls_context_(tls),
      counters_(counters),
      on_change_(std::move(on_change)),
      socket_(loop.io()),
      timer_(loop.io()),
      reader_(options.most_bytes) {}

RedisLink::~RedisLink() = default;

// --- making
// -----------------------------------------------------------------------------------------------------------

void RedisLink::connect() {
  state_ = State::kConnecting;
  counters_.connects.fetch_add(1, std::memory_order_relaxed);
  connect_until_ = std::chrono::steady_clock::now() + options_.timeout;
  wake_at(connect_until_);
  asio::co_spawn(loop_.io(), open(shared_from_this()), asio::detached);
}

Task<> RedisLink::open(std::shared_ptr<RedisLink> self) {
  const Endpoints endpoints = co_await self->resolve();
  bool connected = false;
  for (const auto& endpoint : endpoints) {
    if (self->state_ != State::kConnecting) co_return;
    connected = co_await self->connect_to(endpoint);
    if (connected) break;
  }
  if (self->state_ != State::kConnecting) co_return;
  if (endpoints.empty()) {
    self->lose("its name does not resolve");
  } else if (!connected) {
    self->lose(self->tls_context_ != nullptr ? "no connection, or no TLS that can be trusted" : "no connection");
  } else {
    self->shake_hands();
  }
}

// A look-up cannot be called off, so it is waited for beside it.
Task<RedisLink::Endpoints> RedisLink::resolve() {
  boost::system::error_code error;
  if (const auto address = asio::ip::make_address(options_.address.host, error); !error) {
    co_return Endpoints{{address, options_.address.port}};
  }
  using Resolver = asio::ip::basic_resolver<asio::ip::tcp, LoopExecutor>;
  auto answer = make_one_shot<Endpoints>(loop_);
  auto resolver = std::make_shared<Resolver>(loop_.io());
  auto promise = std::make_shared<OneShotPromise<Endpoints>>(std::move(answer.first));
  resolver->async_resolve(options_.address.host, std::to_string(options_.address.port),
                          [resolver, promise](boost::system::error_code, Resolver::results_type results) {
                            Endpoints endpoints;
                            for (const auto& entry : results) endpoints.push_back(entry.endpoint());
                            promise->deliver(std::move(endpoints));
                          });
  Result<Endpoints> endpoints = co_await answer.second.wait(connect_until_);
  co_return endpoints ? std::move(*endpoints) : Endpoints{};
}

Task<bool> RedisLink::connect_to(asio::ip::tcp::endpoint endpoint) {
  boost::system::error_code ignored;
  socket_.close(ignored);
  const auto [error] = co_await socket_.async_connect(endpoint, kAwait);
  if (error || state_ != State::kConnecting) co_return false;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  if (tls_context_ == nullptr) co_return true;
  const std::string& host = options_.address.host;
  tls_ = std::make_unique<asio::ssl::stream<Socket&>>(socket_, *tls_context_);
  tls_->set_verify_mode(asio::ssl::verify_peer);
  tls_->set_verify_callback(asio::ssl::host_name_verification(host));
  asio::ip::make_address(host, ignored);
  if (ignored) SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());  // RFC 6066: names only
  const auto [refused] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  co_return !refused && state_ == State::kConnecting;
}

// Who it is, which database; and a PING, which a Redis that wants a password, or still loads its data, refuses.
void RedisLink::shake_hands() {
  const RedisAddress& to = options_.address;
  counters_.open_connections.fetch_add(1, std::memory_order_relaxed);
  last_heard_ = std::chrono::steady_clock::now();
  if (!to.password.empty()) {
    RedisCommand command{"AUTH"};
    if (!to.user.empty()) command.push_back(to.user);
    command.push_back(to.password.reveal());
    greet(std::move(command), false);
  }
  if (to.database != 0) greet({"SELECT", std::to_string(to.database)}, false);
  greet({"PING"}, true);
  writing_ = true;
  async_write([this](bool written) {
    writing_ = false;
    if (!written) lose("the connection broke");
    if (state_ == State::kReady) flush();
  });
  read();
}

void RedisLink::greet(RedisCommand command, bool last) {
  append_command(out_, command);
  const auto on_reply = [this, last](Result<RedisReply> reply) {
    if (state_ != State::kConnecting || !reply) return;
    if (reply->kind == RedisReply::Kind::kError) {
      return lose("it refuses with " + std::string(reply->error_code()));
    }
    if (!last) return;
    state_ = State::kReady;
    ready_since_ = std::chrono::steady_clock::now();
    connect_until_ = SteadyTime::max();
    on_change_({});
    if (!writing_) flush();
  };
  sent_.push_back({{}, SteadyTime::max(), std::chrono::steady_clock::now(), on_reply});
}

// --- the end
// ----------------------------------------------------------------------------------------------------------

void RedisLink::lose(std::string_view why) {
  if (state_ == State::kDead) return;
  if (state_ == State::kReady) {
    counters_.lost_connections.fetch_add(1, std::memory_order_relaxed);
  } else {
    counters_.connect_failures.fetch_add(1, std::memory_order_relaxed);
  }
  const std::string reason(why);
  // One that a server closes for being unused is no news.
  const bool unused = state_ == State::kReady && outstanding() == 0;
  close();
  if (!unused) on_change_(reason);
}

void RedisLink::close() {
  if (state_ == State::kDead) return;
  if (last_heard_ != SteadyTime()) counters_.open_connections.fetch_sub(1, std::memory_order_relaxed);
  state_ = State::kDead;
  boost::system::error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  std::vector<OnReply> dropped;
  for (auto* const queue : {&sent_, &waiting_}) {
    for (Command& command : *queue) {
      if (command.on_reply) dropped.push_back(std::move(command.on_reply));
    }
    queue->clear();
  }
  waiting_bytes_ = 0;
  fail_all(std::move(dropped));
}

void RedisLink::fail_all(std::vector<OnReply> dropped) {
  counters_.failures.fetch_add(dropped.size(), std::memory_order_relaxed);
  for (OnReply& on_reply : dropped) on_reply(redis_away());
}

// --- commands
// ---------------------------------------------------------------------------------------------------------

void RedisLink::submit(std::string command, SteadyTime deadline, OnReply on_reply) {
  counters_.commands.fetch_add(1, std::memory_order_relaxed);
  const bool full = outstanding() >= options_.most_commands || waiting_bytes_ + command.size() > options_.most_bytes;
  if (state_ == State::kDead || full) {
    counters_.failures.fetch_add(1, std::memory_order_relaxed);
    return on_reply(redis_away());
  }
  waiting_bytes_ += command.size();
  waiting_.push_back({std::move(command), deadline, {}, std::move(on_reply)});
  wake_at(deadline);
  if (state_ == State::kReady) flush_soon();
}

// Once what runs now is over: whatever else it submits goes out in the same write.
void RedisLink::flush_soon() {
  if (writing_ || flush_is_due_) return;
  flush_is_due_ = true;
  asio::post(loop_.io(), [self = shared_from_this()] {
    self->flush_is_due_ = false;
    if (self->state_ == State::kReady && !self->writing_) self->flush();
  });
}

void RedisLink::flush() {
  if (waiting_.empty()) return;
  const SteadyTime now = std::chrono::steady_clock::now();
  out_.clear();
  while (!waiting_.empty() && out_.size() < kWriteBytes) {
    Command command = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= command.bytes.size();
    out_ += command.bytes;
    command.bytes = {};
    command.sent_at = now;
    sent_.push_back(std::move(command));
  }
  writing_ = true;
  counters_.writes.fetch_add(1, std::memory_order_relaxed);
  wake_at(now + options_.timeout);
  async_write([this](bool written) {
    writing_ = false;
    if (!written) return lose("the connection broke");
    if (state_ == State::kReady) flush();
  });
}

template <class Handler>
void RedisLink::async_write(Handler handler) {
  const auto done = [self = shared_from_this(), handler](boost::system::error_code error, std::size_t) {
    if (self->state_ != State::kDead) handler(!error);
  };
  if (tls_) {
    asio::async_write(*tls_, asio::buffer(out_), done);
  } else {
    asio::async_write(socket_, asio::buffer(out_), done);
  }
}

template <class Handler>
void RedisLink::async_read(Handler handler) {
  const auto done = [self = shared_from_this(), handler](boost::system::error_code error, std::size_t size) {
    if (self->state_ != State::kDead) handler(error ? 0 : size);
  };
  if (tls_) {
    tls_->async_read_some(asio::buffer(in_), done);
  } else {
    socket_.async_read_some(asio::buffer(in_), done);
  }
}

void RedisLink::read() {
  async_read([this](std::size_t size) {
    if (size == 0) return lose("the connection was closed");
    take(size);
    if (state_ != State::kDead) read();
  });
}

void RedisLink::take(std::size_t size) {
  last_heard_ = std::chrono::steady_clock::now();
  bool sound = reader_.feed({in_.data(), size});
  while (sound && state_ != State::kDead) {
    RedisReply reply;
    const RedisReplyReader::Next next = reader_.next(reply);
    if (next == RedisReplyReader::Next::kMore) return;
    // A reply that nobody asked for is as bad as none.
    sound = next == RedisReplyReader::Next::kReply && !sent_.empty();
    if (!sound) break;
    OnReply on_reply = std::move(sent_.front().on_reply);
    sent_.pop_front();
    const bool demoted = reply.kind == RedisReply::Kind::kError && reply.error_code() == "READONLY";
    if (on_reply) on_reply(std::move(reply));
    // Another took over: its name is to be looked up anew.
    if (demoted) return lose("it has become a replica");
  }
  if (!sound) lose("it does not speak as Redis does");
}

// --- time
// -------------------------------------------------------------------------------------------------------------

// One timer for all: set for the earliest time, left alone by what ends before it, set anew when it has run out.
void RedisLink::wake_at(SteadyTime at) {
  if (at >= wakes_at_) return;
  wakes_at_ = at;
  timer_.expires_at(at);
  timer_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled && self->state_ != State::kDead) self->look_at_the_time();
  });
}

void RedisLink::look_at_the_time() {
  const SteadyTime now = std::chrono::steady_clock::now();
  wakes_at_ = SteadyTime::max();
  drop_overdue(now);
  if (state_ == State::kDead) return;
  if (now >= connect_until_) return lose("it did not answer in time");
  SteadyTime next = connect_until_;
  if (!sent_.empty() && state_ == State::kReady) {
    const SteadyTime until = std::max(sent_.front().sent_at, last_heard_) + options_.timeout;
    if (now >= until) return lose("it did not answer in time");
    next = std::min(next, until);
  }
  for (const auto* const queue : {&sent_, &waiting_}) {
    for (const Command& command : *queue) {
      if (command.on_reply) next = std::min(next, command.deadline);
    }
  }
  if (next != SteadyTime::max()) wake_at(next);
}

void RedisLink::drop_overdue(SteadyTime now) {
  std::vector<OnReply> overdue;
  for (Command& command : sent_) {
    if (command.on_reply && command.deadline <= now) {
      overdue.push_back(std::exchange(command.on_reply, nullptr));
    }
  }
  std::erase_if(waiting_, [&](Command& command) {
    if (command.deadline > now) return false;
    waiting_bytes_ -= command.bytes.size();
    overdue.push_back(std::move(command.on_reply));
    return true;
  });
  counters_.failures.fetch_add(overdue.size(), std::memory_order_relaxed);
  counters_.timeouts.fetch_add(overdue.size(), std::memory_order_relaxed);
  for (OnReply& on_reply : overdue) on_reply(redis_too_late());
}

}  // namespace parley::redis
