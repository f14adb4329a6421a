#include "app/search_engine.h"

#include <algorithm>

#include "app/engine_wait.h"
#include "base/run_on_loop.h"
#include "http/tls.h"

namespace parley::app {

namespace {

constexpr std::chrono::milliseconds kLeastForOneTry{500};

std::string authorization_of(const EngineSettings& engines) {
  if (!engines.elasticsearch_api_key.empty()) {
    return opensearch::api_key_authorization(engines.elasticsearch_api_key.reveal());
  }
  if (engines.elasticsearch_username.empty()) return {};
  return opensearch::basic_authorization(engines.elasticsearch_username, engines.elasticsearch_password.reveal());
}

}  // namespace

Result<std::unique_ptr<SearchEngine>> SearchEngine::open(const Settings& settings, EventLoops& loops,
                                                         const Clock& clock) {
  const EngineSettings& engines = settings.engines;
  if (engines.elasticsearch_url.empty()) return nullptr;
  auto urls = opensearch::parse_node_urls(engines.elasticsearch_url, "ELASTICSEARCH_URL");
  if (!urls) return fail(std::move(urls.error()));
  opensearch::ClientOptions options{.urls = std::move(*urls),
                                    .authorization = authorization_of(engines),
                                    .tls = {},
                                    .timeout = engines.elasticsearch_timeout,
                                    .connections_per_loop = engines.elasticsearch_connections};
  if (std::ranges::any_of(options.urls, &http::Url::tls)) {
    auto tls = http::make_client_tls(engines.elasticsearch_ca_file);
    if (!tls) return invalid_field("ELASTICSEARCH_CA_FILE", "cannot be used as PEM certificate authorities");
    options.tls = std::move(*tls);
  }
  return std::unique_ptr<SearchEngine>(new SearchEngine(settings, loops, clock, std::move(options)));
}

SearchEngine::SearchEngine(const Settings& settings, EventLoops& loops, const Clock& clock,
                           opensearch::ClientOptions options)
    : clock_(clock),
      wait_(settings.engines.wait),
      client_({loops, clock, timer_}, std::move(options)),
      index_(client_, {.prefix = settings.engines.elasticsearch_index_prefix, .shards = {}}, clock) {}

Result<> SearchEngine::wait_until_ready(EventLoop& loop) {
  const SteadyTime end = clock_.steady_now() + wait_;
  return wait_for_engine("The search engine (ELASTICSEARCH_URL)", wait_, [&] {
    return run_on_loop(loop, index_.prepare(std::max(end, clock_.steady_now() + kLeastForOneTry)));
  });
}

http::HealthCheck SearchEngine::health_check() {
  return {"elasticsearch", true, [this](SteadyTime deadline) { return index_.ping(deadline); }};
}

}  // namespace parley::app
