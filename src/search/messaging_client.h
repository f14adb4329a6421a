// MessagingClient: what search asks messaging on a caller's behalf, with the caller's own token: which conversations it
// is a member of now, and what it may read of the things that were found. Called on any loop. fail: unavailable when
// messaging does not answer as it should or in time, unauthorized when it does not take the token.
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "http/exchange.h"
#include "http/upstream.h"

namespace parley::search {

// Newest activity first.
struct Membership {
  std::vector<ConversationId> conversations;
  bool complete = true;  // false: there are more than messaging tells
};

// At most 100 of each kind: a page.
struct WantedObjects {
  std::vector<std::string> messages;
  std::vector<std::string> conversations;
  std::vector<std::string> users;
  bool empty() const { return messages.empty() && conversations.empty() && users.empty(); }
};

// By id, as GET of each answers. What the caller may not read, and what is deleted or unknown, is not there.
struct FoundObjects {
  using ById = std::unordered_map<std::string, boost::json::object>;
  ById messages;
  ById conversations;
  ById users;
};

class MessagingClient {
 public:
  static constexpr std::chrono::milliseconds kPatience{3'000};

  // Both must outlive this.
  MessagingClient(http::Upstream& messaging, const Clock& clock) : messaging_(messaging), clock_(clock) {}

  Task<Result<Membership>> membership(const http::Exchange& exchange, SteadyTime deadline);
  Task<Result<FoundObjects>> lookup(const http::Exchange& exchange, WantedObjects wanted, SteadyTime deadline);
  // Whether messaging answers for itself.
  Task<Result<>> ping(SteadyTime deadline);

 private:
  struct Call;
  Task<Result<boost::json::object>> ask(const http::Exchange& exchange, Call call, SteadyTime deadline);

  http::Upstream& messaging_;
  const Clock& clock_;
};

}  // namespace parley::search
