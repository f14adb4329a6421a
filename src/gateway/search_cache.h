// SearchCache: answers to searches, by key, and the questions under way, so that one query is asked once however many
// want it. One for all loops: a client's connections land on any loop, and a query must be asked once in the process,
// not once per loop; 16 parts, each under its own lock, which is held for a look-up and never over a wait.
//
// It does not know what a key means; whoever asks puts tenant and user into it. An answer counts while the epoch of its
// question is not below the asker's and it is younger than `ttl`. Bounded in bytes and in entries; the longest unused
// ones give way. Owned by the gateway, any thread; must be destroyed before the loops are.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/one_shot.h"

namespace parley::gateway {

struct CachedAnswer {
  std::string body;
  std::string content_type;
  std::string cache_control;  // empty: none
  std::uint64_t epoch = 0;    // of the tenant, from before search was asked
  SteadyTime asked_at{};
};
using KeptAnswer = std::shared_ptr<const CachedAnswer>;

class SearchCache {
  struct Core;
  struct Flight;

 public:
  struct Limits {
    std::chrono::milliseconds ttl{60'000};
    std::size_t bytes = 32 * 1024 * 1024;
    std::size_t entries = 65'536;
    std::size_t answer_bytes = 256 * 1024;
    std::size_t waiting = 1'024;  // for one question
  };
  explicit SearchCache(Limits limits);
  // Whoever waits is told that nothing came.
  ~SearchCache();

  // The one who has to ask search, and then to say what came. Destroyed without, for whatever reason, it tells those
  // who wait that nothing did, and each of them asks for itself.
  class Lead {
   public:
    Lead(Lead&&) noexcept = default;
    Lead& operator=(Lead&&) = delete;
    ~Lead();
    // Gives the answer to those who wait; keeps it for later ones if `keep`.
    void publish(KeptAnswer answer, bool keep);

   private:
    friend class SearchCache;
    Lead(std::shared_ptr<Core> core, std::string key, std::shared_ptr<Flight> flight);
    std::shared_ptr<Core> core_;
    std::string key_;
    std::shared_ptr<Flight> flight_;  // null once published or moved from
  };
  // Too many wait for this question already: ask, and tell nobody.
  struct Alone {};
  using Found = std::variant<KeptAnswer, OneShotFuture<KeptAnswer>, Lead, Alone>;

  // `epoch`: the tenant's, as of now. A future is the calling loop's to wait on; it fails with kInternal when the one
  // who led came to nothing. Whoever comes after a change does not wait for a question from before it.
  Found find(std::string_view key, std::uint64_t epoch, SteadyTime now);

  std::size_t largest_answer() const;
  struct Counts {
    std::size_t entries = 0;
    std::size_t bytes = 0;
    std::uint64_t evicted = 0;   // for want of room
    std::uint64_t outdated = 0;  // found, but too old or from before a change
  };
  Counts counts() const;

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace parley::gateway
