// SharedAnswers: where gateways leave one another the answers to searches, and see to it that one of them asks. A port:
// Redis. It decides nothing: an answer carries the number under which it was fetched, and find() gives it only to who
// asks for no later one. Keys mean nothing to it; whoever asks puts tenant and user into them. Called on event loops;
// no call takes longer than a short time of its own, and where the store is away there is just nothing there.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "base/task.h"
#include "gateway/change_numbers.h"

namespace parley::gateway {

struct SharedAnswer {
  std::string body;
  std::string content_type;
  std::string cache_control;         // empty: none
  std::string instance;              // of search, and
  std::int64_t number = 0;           // all its changes up to this are in the answer
  std::chrono::milliseconds age{0};  // since search was asked
};

class SharedAnswers {
 public:
  virtual ~SharedAnswers() = default;

  // It falls to the caller to ask search, and to publish() or give_up() under this token.
  struct Lead {
    std::string token;
  };
  // Another gateway asks at present, under a number that will do: look again soon.
  struct Wait {};
  // The store is away.
  struct Away {};
  using Found = std::variant<SharedAnswer, Lead, Wait, Away>;

  virtual Task<Found> find(std::string key, ChangeNumbers::Standing standing) = 0;
  // Leaves the answer for `ttl` from when search was asked, unless there is one of a later number; whoever waits finds
  // it. With or without a token. Returns at once.
  virtual void publish(std::string key, std::string token, SharedAnswer answer, std::chrono::milliseconds ttl) = 0;
  // There is nothing to leave: the next one who looks may ask. Returns at once.
  virtual void give_up(std::string key, std::string token) = 0;
};

}  // namespace parley::gateway
