#include "messaging/testing/messaging_fixture.h"

#include <cstdlib>

#include "base/check.h"
#include "http/request_scope.h"
#include "tenancy/caller.h"

namespace parley::messaging::testing {

http::Middleware::Verdict TestAuthentication::before(http::Exchange& exchange) {
  exchange.deadline = SteadyTime::max();  // the store holds it against the test's own clock
  const http::Fields& fields = exchange.request.fields;
  exchange.from_role = fields.find("Test-Role").has_value();
  const auto user = fields.find("Test-User");
  if (!user) return {};
  const auto roles = fields.find("Test-Roles").value_or("");
  Caller caller{TenantId(fields.find("Test-Tenant").value_or("acme")),
                UserId(*user),
                {},
                std::string(fields.find("Test-Name").value_or(""))};
  caller.roles.admin = roles.find("admin") != std::string_view::npos;
  caller.roles.service = roles.find("service") != std::string_view::npos;
  exchange.caller = std::make_shared<const Caller>(std::move(caller));
  return {};
}

MessagingFixture::MessagingFixture(AttachedFiles* files) {
  std::string pattern = (std::filesystem::temp_directory_path() / "parley-messaging-XXXXXX").string();
  CHECK(::mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  auto opened = SqliteMessagingStore::open({.folder = folder_ / "messaging", .reader_threads = 1}, clock_, random_);
  CHECK(opened.has_value());
  store_ = std::move(*opened);
  MessagingDependencies dependencies{.store = *store_,
                                     .scan = *store_,
                                     .log = store_->event_log(),
                                     .files = files,
                                     .limiter = limiter_,
                                     .message_rule = {60},
                                     .clock = clock_,
                                     .metrics = metrics_};
  dependencies.middleware = [this](const std::vector<http::Route>& routes) {
    routes_ = routes;
    return std::vector<std::shared_ptr<http::Middleware>>{
        std::make_shared<http::RequestScope>(std::chrono::seconds(20)), std::make_shared<TestAuthentication>()};
  };
  service_ = make_messaging_service(std::move(dependencies));
}

MessagingFixture::~MessagingFixture() {
  service_.reset();
  store_.reset();
  std::filesystem::remove_all(folder_);
}

HeaderList MessagingFixture::as(std::string user, std::string tenant, std::string roles) {
  HeaderList headers{{"Test-User", std::move(user)}, {"Test-Tenant", std::move(tenant)}};
  if (!roles.empty()) headers.emplace_back("Test-Roles", std::move(roles));
  return headers;
}

void MessagingFixture::make_group(const std::string& id, const std::string& members) {
  const Answer answer =
      client("ada").post("/conversations", R"({"id":")" + id + R"(","name":"general","members":)" + members + "}");
  ASSERT_EQ(answer.status, 201) << answer.body;
}

boost::json::object MessagingFixture::say(const std::string& conversation, const std::string& content) {
  const Answer answer =
      client("ada").post("/messages", R"({"conversation_id":")" + conversation + R"(","content":")" + content + "\"}");
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer.json().as_object();
}

}  // namespace parley::messaging::testing
