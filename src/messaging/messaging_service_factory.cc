#include "messaging/messaging_service_factory.h"

#include <cstdio>
#include <iterator>

#include "base/check.h"
#include "http/openapi/embedded.h"
#include "messaging/messaging_routes.h"

namespace parley::messaging {

namespace {

// What the routes refer to, kept beside them.
class MessagingService final : public http::Service {
 public:
  explicit MessagingService(MessagingDependencies dependencies)
      : contract_(messaging_contract(dependencies.max_body_bytes)),
        messaging_{dependencies.store,
                   dependencies.scan,
                   dependencies.log,
                   dependencies.clock,
                   LimitedSender(AttachingSender(dependencies.store, dependencies.files), dependencies.limiter,
                                 dependencies.message_rule, dependencies.service_message_rule),
                   SeenUsers(dependencies.store, dependencies.loops)},
        routed_(make_routed(std::move(dependencies))) {}

  Task<http::Response> serve(http::Request& request) override { return routed_->serve(request); }

 private:
  std::unique_ptr<http::RoutedService> make_routed(MessagingDependencies dependencies) {
    MessagingStore& store = dependencies.store;
    std::vector<http::HealthCheck> checks{
        {"store", true, [&store](SteadyTime deadline) { return store.ping(deadline); }}};
    std::ranges::move(dependencies.more_health_checks, std::back_inserter(checks));

    std::vector<http::Route> routes = messaging_routes(*contract_, messaging_);
    std::ranges::move(http::operational_routes(contract_, std::move(checks), dependencies.metrics, dependencies.clock),
                      std::back_inserter(routes));
    auto middleware =
        dependencies.middleware ? dependencies.middleware(routes) : std::vector<std::shared_ptr<http::Middleware>>();
    return std::make_unique<http::RoutedService>(std::move(routes), std::move(middleware));
  }

  const std::shared_ptr<const http::openapi::Contract> contract_;
  Messaging messaging_;
  const std::unique_ptr<http::RoutedService> routed_;
};

}  // namespace

std::shared_ptr<const http::openapi::Contract> messaging_contract(std::uint64_t max_body_bytes) {
  auto contract = http::openapi::Contract::parse(http::openapi::messaging_yaml(), max_body_bytes);
  if (!contract) std::fprintf(stderr, "%s\n", contract.error().detail.c_str());
  CHECK(contract.has_value());
  return *contract;
}

std::unique_ptr<http::Service> make_messaging_service(MessagingDependencies dependencies) {
  return std::make_unique<MessagingService>(std::move(dependencies));
}

}  // namespace parley::messaging
