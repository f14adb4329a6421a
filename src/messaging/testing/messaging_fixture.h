// MessagingFixture: the messaging service over a real SQLite store in a folder that goes with it, asked without a
// socket. A caller is named by header fields (TestAuthentication), so that a test says who asks and no token is needed.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "http/testing/service_client.h"
#include "messaging/messaging_service_factory.h"
#include "messaging/stores/sqlite_messaging_store.h"
#include "rate_limit/memory_rate_limiter.h"

namespace parley::messaging::testing {

using http::testing::Answer;
using http::testing::HeaderList;
using http::testing::ServiceClient;

// Sets the caller from Test-Tenant, Test-User, Test-Roles ("admin", "service") and Test-Name; none without Test-User.
// Test-Role is what an internal token is otherwise.
class TestAuthentication final : public http::Middleware {
 public:
  Verdict before(http::Exchange& exchange) override;
};

class MessagingFixture : public ::testing::Test {
 protected:
  // files: what messages may attach; null: nothing. Not used before the first request.
  explicit MessagingFixture(AttachedFiles* files = nullptr);
  ~MessagingFixture() override;

  // Headers that make a request one of that user.
  static HeaderList as(std::string user, std::string tenant = "acme", std::string roles = "");
  ServiceClient client(std::string user, std::string tenant = "acme", std::string roles = "") {
    return ServiceClient(loop_, *service_, as(std::move(user), std::move(tenant), std::move(roles)));
  }
  // Creates group `id` with ada as owner and `members` (a JSON array).
  void make_group(const std::string& id, const std::string& members = "[]");
  // ada sends `content`; answers the message.
  boost::json::object say(const std::string& conversation, const std::string& content);

  ManualClock clock_;
  SeededRandom random_{7};
  Metrics metrics_;
  MemoryRateLimiter limiter_{clock_};
  std::filesystem::path folder_;
  std::unique_ptr<SqliteMessagingStore> store_;
  http::testing::LoopThread loop_;
  std::unique_ptr<http::Service> service_;
  std::vector<http::Route> routes_;  // of the service, as its middleware saw them
  // Another role of ours, with no user behind it.
  ServiceClient role() { return ServiceClient(loop_, *service_, {{"Test-Role", "search"}}); }
  ServiceClient anonymous() { return ServiceClient(loop_, *service_); }
};

}  // namespace parley::messaging::testing
