// FakeRedis: a listener on loopback that a test gives its answers: what to send for what has come, or to say nothing,
// or to hang up. A thread of its own for each connection. For faults that no real Redis shows on demand.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/unique_fd.h"
#include "drivers/redis/redis_protocol.h"

namespace parley::redis::testing {

class FakeRedis {
 public:
  // What to send for a command. "\1hangup": close the connection instead; "": nothing at all.
  using Answer = std::function<std::string(const RedisCommand& command)>;
  static inline const std::string kHangUp = "\1hangup";

  explicit FakeRedis(Answer answer) : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    CHECK(::listen(listener_.get(), 16) == 0);
    socklen_t size = sizeof address;
    CHECK(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~FakeRedis() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
  }

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  // As many commands as came in the fullest single read.
  int longest_pipeline() const { return longest_pipeline_; }
  std::vector<std::string> verbs() const {
    const std::lock_guard lock(mutex_);
    return verbs_;
  }

 private:
  static bool readable(int fd) {
    pollfd wait{fd, POLLIN, 0};
    return ::poll(&wait, 1, 10) > 0;
  }
  void accept() {
    while (!stopping_) {
      if (!readable(listener_.get())) continue;
      UniqueFd peer(::accept(listener_.get(), nullptr, nullptr));
      if (!peer) continue;
      ++connections_;
      threads_.emplace_back([this, fd = std::move(peer)] { serve(fd.get()); });
    }
  }
  void serve(int fd) {
    RedisReplyReader reader(64 * 1024 * 1024);  // commands are arrays of texts, as replies may be
    std::vector<char> bytes(64 * 1024);
    while (!stopping_) {
      if (!readable(fd)) continue;
      const ssize_t size = ::recv(fd, bytes.data(), bytes.size(), 0);
      if (size <= 0) return;
      if (!reader.feed({bytes.data(), static_cast<std::size_t>(size)}) || !answer_all(fd, reader)) return;
    }
  }
  bool answer_all(int fd, RedisReplyReader& reader) {
    RedisReply command;
    int count = 0;
    while (reader.next(command) == RedisReplyReader::Next::kReply) {
      longest_pipeline_ = std::max(longest_pipeline_.load(), ++count);
      RedisCommand words;
      for (RedisReply& word : command.items) words.push_back(std::move(word.text));
      {
        const std::lock_guard lock(mutex_);
        verbs_.push_back(words.empty() ? "" : words.front());
      }
      const std::string reply = answer_(words);
      if (reply == kHangUp) return false;
      if (!reply.empty() && ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) < 0) return false;
    }
    return true;
  }

  const Answer answer_;
  UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::atomic<int> longest_pipeline_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> verbs_;
  std::vector<std::thread> threads_;  // the acceptor's, until it has ended
  std::thread acceptor_;
};

}  // namespace parley::redis::testing
