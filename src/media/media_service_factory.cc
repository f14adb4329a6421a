#include "media/media_service_factory.h"

#include <cstdio>
#include <iterator>

#include "base/check.h"
#include "http/openapi/embedded.h"
#include "media/media_routes.h"
#include "media/signed_address_check.h"

namespace parley::media {

namespace {

// What the routes refer to, kept beside them.
class MediaService final : public http::Service {
 public:
  explicit MediaService(MediaDependencies dependencies)
      : contract_(media_contract(dependencies.max_body_bytes)),
        media_(dependencies.media),
        routed_(make_routed(std::move(dependencies))) {}

  Task<http::Response> serve(http::Request& request) override { return routed_->serve(request); }

 private:
  std::unique_ptr<http::RoutedService> make_routed(MediaDependencies dependencies) {
    std::vector<http::HealthCheck> checks{
        {"store", true, [&store = media_.store](SteadyTime deadline) { return store.ping(deadline); }},
        {dependencies.objects_name, true,
         [&blobs = media_.blobs](SteadyTime deadline) { return blobs.ping(deadline); }}};
    std::ranges::move(dependencies.more_health_checks, std::back_inserter(checks));

    std::vector<http::Route> routes = media_routes(*contract_, media_);
    std::ranges::move(http::operational_routes(contract_, std::move(checks), dependencies.metrics, media_.clock),
                      std::back_inserter(routes));
    auto middleware =
        dependencies.middleware ? dependencies.middleware(routes) : std::vector<std::shared_ptr<http::Middleware>>();
    middleware.push_back(std::make_shared<SignedAddressCheck>(media_.signer, media_.clock));
    return std::make_unique<http::RoutedService>(std::move(routes), std::move(middleware));
  }

  const std::shared_ptr<const http::openapi::Contract> contract_;
  Media media_;
  const std::unique_ptr<http::RoutedService> routed_;
};

}  // namespace

std::shared_ptr<const http::openapi::Contract> media_contract(std::uint64_t max_body_bytes) {
  auto contract = http::openapi::Contract::parse(http::openapi::media_yaml(), max_body_bytes);
  if (!contract) std::fprintf(stderr, "%s\n", contract.error().detail.c_str());
  CHECK(contract.has_value());
  return *contract;
}

std::unique_ptr<http::Service> make_media_service(MediaDependencies dependencies) {
  return std::make_unique<MediaService>(std::move(dependencies));
}

}  // namespace parley::media
