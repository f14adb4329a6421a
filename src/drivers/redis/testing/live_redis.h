// For tests against a real Redis: the one that PARLEY_TEST_REDIS_URL names, and RedisServer, a redis-server of the
// test's own on a free port, to be killed, stopped and started again. A test that needs one and has none skips itself.
#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "drivers/redis/redis_client.h"

namespace parley::redis::testing {

inline std::optional<std::string> redis_url() {
  const char* const url = std::getenv("PARLEY_TEST_REDIS_URL");
  return url == nullptr || *url == '\0' ? std::nullopt : std::optional<std::string>(url);
}

// In the body of a test or of SetUp().
#define PARLEY_NEEDS_REDIS() \
  if (!parley::redis::testing::redis_url()) GTEST_SKIP() << "PARLEY_TEST_REDIS_URL names no Redis"

// Long, for a machine that does other things as well.
inline RedisOptions live_options() {
  return {.address = parse_redis_url(redis_url().value_or("redis://127.0.0.1")).value(),
          .ca_file = {},
          .timeout = std::chrono::seconds(10)};
}

// For the names of this run's keys.
inline std::string random_name() {
  SecureRandom random;
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  return hex_encode(bytes);
}

inline std::uint16_t free_port() {
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  CHECK(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

class RedisServer {
 public:
  static inline const char* const kProgram = "/usr/bin/redis-server";
  static bool is_there() { return ::access(kProgram, X_OK) == 0; }

  // `more`: further arguments, as "--requirepass", "x". It keeps nothing when it ends.
  explicit RedisServer(std::vector<std::string> more = {}) : more_(std::move(more)), port_(free_port()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-redis-XXXXXX").string();
    CHECK(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    start();
  }
  ~RedisServer() {
    kill();
    std::filesystem::remove_all(folder_);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  std::uint16_t port() const { return port_; }
  RedisAddress address() const {
    RedisAddress address;
    address.host = "127.0.0.1";
    address.port = port_;
    return address;
  }

  // Returns once somebody listens.
  void start() {
    std::vector<std::string> words{kProgram, "--bind", "127.0.0.1",   "--save", "",          "--appendonly", "no",
                                   "--dir",  folder_,  "--daemonize", "no",     "--logfile", "redis.log"};
    if (std::find(more_.begin(), more_.end(), "--port") == more_.end()) {
      words.insert(words.end(), {"--port", std::to_string(port_)});
    }
    words.insert(words.end(), more_.begin(), more_.end());
    for (std::string& word : words) {
      if (word == "PORT") word = std::to_string(port_);
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    CHECK(::posix_spawn(&pid_, kProgram, nullptr, nullptr, arguments.data(), environ) == 0);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!listens() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // for another process, a bounded wait
    }
    CHECK(listens());
  }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // Accepts connections, and answers nothing.
  void freeze() { ::kill(pid_, SIGSTOP); }
  void thaw() { ::kill(pid_, SIGCONT); }

 private:
  bool listens() const {
    const UniqueFd probe(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    return ::connect(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }

  const std::vector<std::string> more_;
  const std::uint16_t port_;
  std::string folder_;
  pid_t pid_ = 0;
};

}  // namespace parley::redis::testing
