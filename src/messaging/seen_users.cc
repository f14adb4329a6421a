#include "messaging/seen_users.h"

#include "base/event_loop.h"

namespace parley::messaging {

std::string SeenUsers::key_of(const Caller& caller) {
  // Ids hold no control characters, so no two callers have one key.
  std::string key;
  key.reserve(caller.tenant.value.size() + 1 + caller.user.value.size());
  return key.append(caller.tenant.value).append(1, '\n').append(caller.user.value);
}

bool SeenUsers::knows(const Caller& caller) const {
  return seen_.at(EventLoop::current().index()).keys.contains(key_of(caller));
}

Task<> SeenUsers::see(std::shared_ptr<const Caller> caller, SteadyTime deadline) {
  const auto seen = co_await store_.see_user(*caller, deadline);
  if (!seen) co_return;
  auto& keys = seen_.at(EventLoop::current().index()).keys;
  if (keys.size() >= kRemembered) keys.clear();
  keys.insert(key_of(*caller));
}

}  // namespace parley::messaging
