#include "search/testing/search_fixture.h"

#include "http/request_scope.h"
#include "tenancy/caller.h"

namespace parley::search::testing {

namespace {

class TestAuthentication final : public http::Middleware {
 public:
  Verdict before(http::Exchange& exchange) override {
    exchange.deadline = SteadyTime::max();
    const http::Fields& fields = exchange.request.fields;
    exchange.from_role = fields.find("Test-Role").has_value();
    const auto user = fields.find("Authorization");
    if (!user) return {};
    Caller caller{TenantId(fields.find("Test-Tenant").value_or("acme")), UserId(*user), {}, {}};
    const auto roles = fields.find("Test-Roles").value_or("");
    caller.roles.admin = roles.find("admin") != std::string_view::npos;
    caller.roles.service = roles.find("service") != std::string_view::npos;
    exchange.caller = std::make_shared<const Caller>(std::move(caller));
    return {};
  }
};

}  // namespace

SearchFixture::SearchFixture(std::uint32_t searches_per_minute, std::uint32_t service_searches_per_minute) {
  progress_.set(index_.through);
  messaging_.membership["ada"] = {"general"};
  service_ = service_over(index_, clock_, {searches_per_minute}, {service_searches_per_minute});
}

std::unique_ptr<http::Service> SearchFixture::service_over(SearchIndex& index, const Clock& clock, RateRule searches,
                                                           RateRule service_searches) {
  SearchDependencies dependencies{.index = index,
                                  .recent = recent_,
                                  .messaging = messaging_,
                                  .log = log_,
                                  .progress = progress_,
                                  .changes = changes_,
                                  .reindex = reindex_,
                                  .check = check_,
                                  .limiter = limiter_,
                                  .search_rule = searches,
                                  .service_search_rule = service_searches,
                                  .cursor_secret = "a secret of the test",
                                  .clock = clock,
                                  .metrics = metrics_};
  dependencies.middleware = [this](const std::vector<http::Route>& routes) {
    routes_ = routes;
    return std::vector<std::shared_ptr<http::Middleware>>{
        std::make_shared<http::RequestScope>(std::chrono::seconds(20)), std::make_shared<TestAuthentication>()};
  };
  return make_search_service(std::move(dependencies));
}

HeaderList SearchFixture::as(std::string user, std::string tenant, std::string roles) {
  HeaderList headers{{"Authorization", std::move(user)}, {"Test-Tenant", std::move(tenant)}};
  if (!roles.empty()) headers.emplace_back("Test-Roles", std::move(roles));
  return headers;
}

void SearchFixture::let_find(const std::string& word, const std::vector<std::string>& message_ids) {
  SearchPage page;
  for (const std::string& id : message_ids) {
    messaging_.add_message(id, "general", "the " + word + " of " + id);
    page.items.push_back({ConversationId("general"), MessageId(id), 1, "the <em>" + word + "</em> of " + id});
  }
  page.total = static_cast<std::int64_t>(message_ids.size());
  index_.found[word] = std::move(page);
}

std::vector<std::string> ids_of(const json::value& answer) {
  std::vector<std::string> ids;
  for (const json::value& item : answer.at("items").as_array()) ids.emplace_back(item.at("id").as_string());
  return ids;
}

}  // namespace parley::search::testing
