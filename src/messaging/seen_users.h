// SeenUsers: makes a caller's profile at first sight, and remembers on each loop whom it has seen, so that it costs a
// look-up afterwards. Owned by the messaging service; each loop touches only its own memory.
#pragma once
#include <string>
#include <unordered_set>
#include <vector>

#include "messaging/messaging_store.h"

namespace parley::messaging {

class SeenUsers {
 public:
  // On each loop at most this many are remembered; then it begins anew, which costs one cheap question each.
  static constexpr std::size_t kRemembered = 20'000;

  SeenUsers(MessagingStore& store, std::size_t loops) : store_(store), seen_(loops) {}

  bool knows(const Caller& caller) const;
  // When the store cannot do it now, it is tried again with the caller's next request: no request fails for want of a
  // name.
  Task<> see(std::shared_ptr<const Caller> caller, SteadyTime deadline);

 private:
  struct alignas(64) PerLoop {
    std::unordered_set<std::string> keys;
  };
  static std::string key_of(const Caller& caller);

  MessagingStore& store_;
  std::vector<PerLoop> seen_;
};

}  // namespace parley::messaging
