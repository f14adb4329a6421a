// SearchFixture: the search service over fakes, asked without a socket. A caller is named by header fields, so that a
// test says who asks and no token is needed; messaging knows the caller by the same name.
#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "http/testing/service_client.h"
#include "rate_limit/memory_rate_limiter.h"
#include "search/search_service_factory.h"
#include "search/testing/fakes.h"

namespace parley::search::testing {

using http::testing::Answer;
using http::testing::HeaderList;
using http::testing::ServiceClient;

// Stands still until advanced, early enough for every wait that is due by it to be over on a real loop.
class EarlyClock final : public Clock {
 public:
  void advance(std::chrono::milliseconds by) { manual_.advance(by); }
  WallTime wall_now() const override { return manual_.wall_now(); }
  SteadyTime steady_now() const override { return manual_.steady_now() - std::chrono::hours(24) + kStart; }

 private:
  static constexpr std::chrono::minutes kStart{2};
  ManualClock manual_;
};

class SearchFixture : public ::testing::Test {
 protected:
  explicit SearchFixture(std::uint32_t searches_per_minute = 0, std::uint32_t service_searches_per_minute = 0);

  // The service over another index, with its own idea of time.
  std::unique_ptr<http::Service> service_over(SearchIndex& index, const Clock& clock, RateRule searches = {},
                                              RateRule service_searches = {});

  static HeaderList as(std::string user, std::string tenant = "acme", std::string roles = "");
  ServiceClient client(std::string user, std::string tenant = "acme", std::string roles = "") {
    return ServiceClient(loop_, *service_, as(std::move(user), std::move(tenant), std::move(roles)));
  }
  ServiceClient anonymous() { return ServiceClient(loop_, *service_); }
  // Another role of ours, with an internal token.
  ServiceClient role() { return ServiceClient(loop_, *service_, {{"Test-Role", "yes"}}); }

  // The index finds these messages of conversation "general" for `word`; messaging has them.
  void let_find(const std::string& word, const std::vector<std::string>& message_ids);
  std::string position(std::int64_t offset, std::string tenant = "acme") const {
    return log_.position_of(TenantId(std::move(tenant)), {offset});
  }

  EarlyClock clock_;
  SeededRandom random_{7};
  Metrics metrics_;
  MemoryRateLimiter limiter_{clock_};
  FakeIndex index_;
  FakeMessaging messaging_;
  FakeRecentSearches recent_;
  FakeEventLog log_;
  IndexProgress progress_;
  ChangeFeed changes_{random_};
  FakeReindex reindex_;
  FakeCheck check_;
  http::testing::LoopThread loop_;
  std::vector<http::Route> routes_;  // of the service, as its middleware saw them
  std::unique_ptr<http::Service> service_;
};

std::vector<std::string> ids_of(const json::value& answer);

}  // namespace parley::search::testing
