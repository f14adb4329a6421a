#include "app/deployment.h"

#include <fstream>
#include <future>

#include "app/kafka_engine.h"
#include "app/media_role.h"
#include "app/messaging_role.h"
#include "app/own_address.h"
#include "app/redis_engine.h"
#include "app/search_host.h"
#include "app/search_role.h"
#include "auth/auth_middleware.h"
#include "auth/dev_key.h"
#include "auth/http_jwks_source.h"
#include "auth/internal_token.h"
#include "base/check.h"
#include "base/run_on_loop.h"
#include "base/text.h"
#include "gateway/stores/redis_shared_answers.h"
#include "gateway/streams_apart.h"
#include "gateway/upload_affinity.h"
#include "http/balanced_upstream.h"
#include "http/in_process_upstream.h"
#include "http/openapi/embedded.h"
#include "http/operations/operational_routes.h"
#include "http/request_scope.h"
#include "telemetry/log.h"

namespace parley::app {

namespace {

constexpr std::chrono::seconds kJwksBodyIdleTimeout{5};
constexpr std::chrono::milliseconds kFeedTimeout{500};

http::ServerOptions server_options(Role role, const Settings& settings) {
  http::ServerOptions options{.role = std::string(to_string(role)),
                              .address = settings.serve.bind_address,
                              .port = settings.serve.port_of(role)};
  options.limits.header_bytes = settings.http.max_header_bytes;
  options.limits.header_timeout = settings.http.header_timeout;
  options.limits.idle_timeout = settings.http.idle_timeout;
  options.limits.body_idle_timeout = settings.http.body_idle_timeout;
  options.limits.write_timeout = settings.http.body_idle_timeout;
  options.limits.connections = settings.http.max_connections;
  return options;
}

auth::Authenticator::Settings authenticator_settings(const AuthSettings& settings) {
  auth::Authenticator::Settings made;
  if (!settings.issuer.empty()) made.rules.issuers = {settings.issuer};
  if (!settings.audience.empty()) made.rules.audiences = {settings.audience};
  made.rules.leeway = settings.leeway;
  return made;
}

void report_key_fetch(const auth::KeyRefresher::Report& report) {
  if (!report.problem.empty()) log_warn("the JWKS is not as it should be", {{"problem", report.problem}});
  if (report.changed) log_info("token keys changed", {{"keys", report.keys}});
}

std::shared_ptr<const http::openapi::Contract> load_contract(std::string_view yaml) {
  auto contract = http::openapi::Contract::parse(yaml);
  CHECK(contract.has_value());  // embedded at build time, and a test parses each
  return *contract;
}

}  // namespace

Deployment::Deployment(const Settings& settings, Reach reach)
    : settings_(settings),
      reach_(reach),
      loops_(settings.serve.threads),
      gateway_port_(settings.serve.port_of(Role::kGateway)) {}

Deployment::~Deployment() {
  stop();
}

Result<> Deployment::start() {
  if (auto done = load_keys(); !done) return done;
  if (auto done = load_internal_key(); !done) return done;
  if (auto done = open_redis(); !done) return done;
  if (auto done = open_kafka(); !done) return done;
  for (const Role role : settings_.serve.roles) {
    Result<> made;
    switch (role) {
      case Role::kGateway:
        break;  // last: it asks the others
      case Role::kMessaging:
        made = open_messaging();
        break;
      case Role::kMedia:
        made = open_media();
        break;
      case Role::kSearch:
        made = open_search();
        break;
    }
    if (!made) return made;
  }
  if (settings_.serve.has(Role::kGateway)) {
    if (auto done = make_gateway(); !done) return done;
  }

  loops_.start();
  loops_running_ = true;
  if (redis_) redis_->connect(loops_.at(0));
  if (media_) {
    // Beside others it is not waited for: they go on without it, and /health tells.
    const bool alone = settings_.serve.roles.size() == 1;
    auto ready = media_->wait_for_engine(loops_.at(0), alone ? settings_.engines.wait : std::chrono::seconds(0));
    if (!ready && alone) return ready;
    if (!ready) log_warn("files are not available yet", {{"reason", ready.error().detail}});
  }
  if (search_) {
    if (auto ready = search_->wait_for_engine(); !ready) return ready;
    if (auto ready = search_->wait_for_log(settings_.engines.wait); !ready) return ready;
  }
  forget_other_reader();
  // Before anybody can ask.
  on_first_loop([this](auto done) {
    if (key_refresher_) key_refresher_->start();
    if (gateway_) gateway_->start_checks(loops_.at(0));
    if (messaging_) messaging_->start_upkeep(loops_.at(0));
    if (media_) media_->start(loops_.at(0));
    for (const auto& relay : relays_) relay->start();
    if (search_) search_->start();
    started_ = true;
    done();
  });
  if (reach_ == Reach::kPorts) return listen();
  return {};
}

void Deployment::stop() {
  if (!loops_running_) return;
  if (media_) media_->end_streams();
  // Together, within one grace: the roles of a process ask each other past their ports, so none needs another's.
  std::vector<http::Server*> servers;
  for (const auto& [role, server] : servers_) servers.push_back(server.get());
  http::Server::stop_together(servers, settings_.serve.shutdown_grace);
  if (started_) {
    if (gateway_) on_first_loop([this](auto done) { gateway_->stop_checks(std::move(done)); });
    if (key_refresher_) on_first_loop([this](auto done) { key_refresher_->close(std::move(done)); });
    if (search_) on_first_loop([this](auto done) { search_->stop(std::move(done)); });
    for (const auto& relay : relays_) on_first_loop([&relay](auto done) { relay->stop(std::move(done)); });
    if (media_) on_first_loop([this](auto done) { media_->stop(std::move(done)); });
    if (messaging_) on_first_loop([this](auto done) { messaging_->stop_upkeep(std::move(done)); });
  }
  loops_.stop();
  loops_running_ = false;
}

std::vector<Deployment::Listening> Deployment::listening() const {
  std::vector<Listening> all;
  for (const auto& [role, server] : servers_) all.push_back({role, server->port()});
  return all;
}

// The operator's keys, or the development key of the data folder, which `serve` allows on loopback only.
Result<> Deployment::load_keys() {
  const AuthSettings& settings = settings_.auth;
  if (reach_ == Reach::kThisProcess) {
    authenticator_ =
        std::make_unique<auth::Authenticator>(authenticator_settings(settings), keys_, nullptr, clock_, loops_.size());
    return {};
  }
  auth::KeySet fixed;
  if (!settings.jwt_public_key.empty()) {
    Result<auth::KeySet> keys = auth::KeySet::from_pem(settings.jwt_public_key);
    if (!keys) return fail(std::move(keys.error()));
    fixed = std::move(*keys);
  } else if (!settings.has_real_key()) {
    const Result<auth::SigningKey> key = auth::load_or_create_dev_key(settings_.serve.data_dir);
    if (!key) return fail(key.error());
    Result<auth::KeySet> keys = key->public_keys();
    if (!keys) return fail(std::move(keys.error()));
    fixed = std::move(*keys);
    log_warn("no key is configured: tokens of the data folder's development key are accepted, on loopback only");
  }
  keys_.replace(fixed);

  std::unique_ptr<auth::JwksSource> source;
  if (!settings.jwks_file.empty()) {
    source = std::make_unique<auth::FileJwksSource>(settings.jwks_file, file_reads_);
  } else if (!settings.jwks_url.empty()) {
    Result<http::Url> url = http::parse_url(settings.jwks_url);
    if (!url) return fail(std::move(url.error()));
    http::HttpUpstreamOptions options{.name = "jwks", .body_idle_timeout = kJwksBodyIdleTimeout};
    if (url->tls) {
      auto tls = http::make_client_tls();
      if (!tls) return fail(std::move(tls.error()));
      options.tls = std::move(*tls);
    }
    const std::string target = url->path.empty() ? "/" : std::exchange(url->path, {});
    options.url = std::move(*url);
    source = std::make_unique<auth::HttpJwksSource>(std::make_unique<http::HttpUpstream>(loops_, std::move(options)),
                                                    target, clock_);
  }
  if (source) {
    auth::KeyRefresher::Settings refresh;
    refresh.interval = settings.jwks_refresh;
    key_refresher_ = std::make_unique<auth::KeyRefresher>(loops_.at(0), keys_, std::move(source), std::move(fixed),
                                                          refresh, clock_, report_key_fetch);
  }
  authenticator_ = std::make_unique<auth::Authenticator>(authenticator_settings(settings), keys_, key_refresher_.get(),
                                                         clock_, loops_.size());
  return {};
}

// A gateway before messaging alone needs none, and so no folder to write.
Result<> Deployment::load_internal_key() {
  const ServeSettings& serve = settings_.serve;
  if (reach_ == Reach::kThisProcess) {  // nobody else calls
    std::array<std::uint8_t, 32> bytes{};
    random_.fill(bytes);
    internal_key_ = Secret(hex_encode(bytes));
    return {};
  }
  internal_key_ = settings_.auth.internal_key;
  const bool needed = serve.has(Role::kMessaging) || serve.has(Role::kMedia) || serve.has(Role::kSearch) ||
                      !settings_.upstream.search_urls.empty();
  if (!internal_key_.empty() || !needed) return {};
  Result<Secret> key = auth::load_or_create_internal_key(serve.data_dir, random_);
  if (!key) return fail(std::move(key.error()));
  internal_key_ = std::move(*key);
  return {};
}

std::shared_ptr<http::Middleware> Deployment::authentication(Role role) {
  std::optional<auth::InternalAccess> internal;
  if (!internal_key_.empty()) internal.emplace(internal_key_, std::string(to_string(role)), clock_);
  return std::make_shared<auth::AuthMiddleware>(*authenticator_, std::move(internal));
}

std::vector<std::shared_ptr<http::Middleware>> Deployment::service_middleware(Role role,
                                                                              const std::vector<http::Route>& routes) {
  const std::string name(to_string(role));
  auto recorded = std::make_shared<RequestMetrics>(metrics_, name, http::route_labels(routes), loops_.size());
  return {
      std::make_shared<http::RequestScope>(settings_.http.request_deadline, settings_.http.trusted_networks()),
      std::make_shared<http::RequestRecorder>(name, std::move(recorded)),
      authentication(role),
  };
}

// Not for the host's own commands: nobody is limited there.
Result<> Deployment::open_redis() {
  if (reach_ == Reach::kThisProcess) return {};
  auto opened = RedisEngine::open(settings_, loops_, clock_, random_, metrics_);
  if (!opened) return fail(std::move(opened.error()));
  redis_ = std::move(*opened);
  return {};
}

Result<> Deployment::open_kafka() {
  if (settings_.kafka.brokers.empty()) return {};
  auto opened = KafkaEngine::open(settings_);
  if (!opened) return fail(std::move(opened.error()));
  kafka_ = std::move(*opened);
  return {};
}

void Deployment::relay(Role role, events::EventLog& log, std::unique_ptr<events::RelayLease> lease,
                       std::string_view users_topic) {
  relays_.push_back(std::make_unique<EventRelay>(*kafka_, to_string(role), users_topic, loops_.at(0), log,
                                                 std::move(lease), clock_, metrics_));
}

// A log waits for whoever read it once: search before it read over Kafka, the relay before Kafka was given up.
void Deployment::forget_other_reader() {
  const auto forget = [this](events::EventLog& log, std::string reader) {
    const auto done = run_on_loop(
        loops_.at(0), log.forget_consumer(reader, std::chrono::steady_clock::now() + std::chrono::seconds(10)));
    if (!done) log_warn("the event log still waits for a reader that is gone", {{"reader", reader}});
  };
  // What other processes do with a log that they share nobody knows here.
  if (messaging_ && (kafka_ || !messaging_->log_is_shared())) {
    forget(messaging_->event_log(), kafka_ ? "search" : events::KafkaRelay::kConsumer);
  }
  if (media_ && !kafka_ && !media_->log_is_shared()) forget(media_->event_log(), events::KafkaRelay::kConsumer);
}

Result<> Deployment::open_messaging() {
  auto opened = MessagingRole::open(settings_, clock_, random_, metrics_);
  if (!opened) return fail(std::move(opened.error()));
  messaging_ = std::move(*opened);
  Result<std::shared_ptr<http::Upstream>> media = upstream_of(Role::kMedia);
  if (!media) return fail(std::move(media.error()));
  if (*media) messaging_->ask_for_files(std::move(*media), internal_key_);
  if (redis_) messaging_->share_limits(*redis_);
  if (kafka_) {
    messaging_->show_health(kafka_->health_check());
    relay(Role::kMessaging, messaging_->event_log(), messaging_->make_relay_lease(), "user.events");
  }
  messaging_->build_service(
      [this](const std::vector<http::Route>& routes) { return service_middleware(Role::kMessaging, routes); });
  return {};
}

// Search follows the log of messaging, in the same process or over Kafka: faults_of_serving() sees to that.
Result<> Deployment::open_search() {
  CHECK(messaging_ != nullptr || kafka_ != nullptr);
  std::shared_ptr<http::Upstream> messaging;
  if (messaging_) {
    messaging = std::make_shared<http::InProcessUpstream>("messaging", messaging_->service());
  } else {
    auto upstream = upstream_of(Role::kMessaging);
    if (!upstream) return fail(std::move(upstream.error()));
    CHECK(*upstream != nullptr);
    messaging = std::move(*upstream);
  }
  auto opened = SearchRole::open(settings_, {.loops = loops_,
                                             .loop = loops_.at(0),
                                             .log = messaging_ ? &messaging_->event_log() : nullptr,
                                             .kafka = kafka_.get(),
                                             .messaging = std::move(messaging),
                                             .internal_key = internal_key_,
                                             .redis = redis_.get(),
                                             .clock = clock_,
                                             .random = random_,
                                             .metrics = metrics_});
  if (!opened) return fail(std::move(opened.error()));
  search_ = std::move(*opened);
  if (kafka_) search_->show_health(kafka_->health_check());
  search_->build_service(
      [this](const std::vector<http::Route>& routes) { return service_middleware(Role::kSearch, routes); });
  return {};
}

Result<> Deployment::open_media() {
  auto opened = MediaRole::open(settings_, clock_, random_, metrics_, loops_);
  if (!opened) return fail(std::move(opened.error()));
  media_ = std::move(*opened);
  if (kafka_) {
    media_->show_health(kafka_->health_check());
    relay(Role::kMedia, media_->event_log(), media_->make_relay_lease(), {});
  }
  Result<std::shared_ptr<http::Upstream>> messaging = upstream_of(Role::kMessaging);
  if (!messaging) return fail(std::move(messaging.error()));
  media_->build_service(
      {.upstream = std::move(*messaging),
       .authorization =
           [this] { return auth::internal_authorization(internal_key_, to_string(Role::kMessaging), clock_); }},
      [this] { return gateway_address(); },
      [this](const std::vector<http::Route>& routes) { return service_middleware(Role::kMedia, routes); });
  return {};
}

Result<std::shared_ptr<http::Upstream>> Deployment::upstream_of(Role role) {
  if (const auto made = upstreams_.find(role); made != upstreams_.end()) return made->second;
  const std::string name(to_string(role));
  if (!settings_.upstream.urls_of(role).empty()) {
    auto made = instances_of(role);
    if (!made) return made;
    upstreams_[role] = std::move(*made);
  } else if (settings_.serve.has(role)) {
    upstreams_[role] =
        std::make_shared<http::InProcessUpstream>(name, [this, role]() -> http::Service& { return service(role); });
  }
  return upstreams_[role];
}

Result<std::shared_ptr<http::Upstream>> Deployment::instances_of(Role role) {
  const std::vector<std::string>& urls = settings_.upstream.urls_of(role);
  std::vector<std::shared_ptr<http::Upstream>> instances;
  for (const std::string& url : urls) {
    const Result<http::Url> parsed = http::parse_url(url);
    if (!parsed) return fail(parsed.error());
    MetricLabels labels{{"upstream", std::string(to_string(role))}};
    if (urls.size() > 1) labels.emplace("instance", url);
    std::shared_ptr<http::Upstream> upstream = connections_to(role, *parsed, labels);
    if (role == Role::kMedia) {
      labels.emplace("pool", "streams");
      upstream = std::make_shared<gateway::StreamsApart>(connections_to(role, *parsed, std::move(labels)),
                                                         std::move(upstream));
    }
    instances.push_back(std::move(upstream));
  }
  if (instances.size() == 1) return std::move(instances.front());
  http::BalancingOptions options;
  if (role == Role::kMedia) options.affinity = gateway::upload_affinity;
  auto balanced = std::make_shared<http::BalancedUpstream>(std::move(instances), std::move(options), clock_, random_);
  scraped_.push_back(metrics_.gauge_from("parley_upstream_instances_well",
                                         "Instances of the upstream that are not resting after failures",
                                         {{"upstream", std::string(to_string(role))}},
                                         [one = balanced.get()] { return static_cast<double>(one->well()); }));
  return balanced;
}

std::shared_ptr<http::Upstream> Deployment::connections_to(Role role, const http::Url& url, MetricLabels labels) {
  auto upstream = std::make_shared<http::HttpUpstream>(
      loops_, http::HttpUpstreamOptions{.name = std::string(to_string(role)),
                                        .url = url,
                                        .connect_timeout = settings_.upstream.connect_timeout,
                                        .body_idle_timeout = settings_.http.body_idle_timeout,
                                        .connections_per_loop = settings_.upstream.pool_per_core});
  export_upstream_metrics(*upstream, labels);
  http_upstreams_.push_back(upstream);
  return upstream;
}

std::string Deployment::gateway_address() const {
  const std::string& known = settings_.media.public_url;
  return known.empty() ? url_on_this_host(settings_, gateway_port_) : known;
}

Result<> Deployment::make_gateway() {
  gateway::GatewayDependencies with{.authentication = authentication(Role::kGateway),
                                    .more_routes = http::contract_routes(load_contract(http::openapi::gateway_yaml())),
                                    .metrics = metrics_,
                                    .clock = clock_,
                                    .random = random_,
                                    .timer = timer_,
                                    .loops = loops_.size()};
  for (const Role role : {Role::kMessaging, Role::kMedia, Role::kSearch}) {
    Result<std::shared_ptr<http::Upstream>> upstream = upstream_of(role);
    if (!upstream) return fail(std::move(upstream.error()));
    if (*upstream) with.upstreams[role] = std::move(*upstream);
  }
  if (auto done = let_gateway_follow_search(with); !done) return done;
  if (redis_) {
    shared_answers_ = std::make_unique<gateway::RedisSharedAnswers>(
        redis_->client(), gateway::RedisSharedAnswers::Options{}, random_, clock_);
    with.shared_answers = shared_answers_.get();
    http::HealthCheck check = redis_->health_check();
    with.engines.push_back({std::move(check.name), std::move(check.ask)});
  }
  gateway_ = std::make_unique<gateway::Gateway>(gateway::gateway_options(settings_), std::move(with));
  return {};
}

// Over connections of its own: a poll that search holds takes no search's place, and is given up much sooner.
Result<> Deployment::let_gateway_follow_search(gateway::GatewayDependencies& with) {
  const auto search = with.upstreams.find(Role::kSearch);
  if (search == with.upstreams.end()) return {};
  with.search_token = [this] {
    return auth::sign_internal_token(internal_key_, to_string(Role::kSearch),
                                     clock_.wall_now() + auth::kInternalTokenLife);
  };
  const std::vector<std::string>& urls = settings_.upstream.urls_of(Role::kSearch);
  // Each instance tells of what it indexed itself, so of several, one knows too little: then nothing is cached here.
  if (urls.size() > 1) return {};
  with.search_changes = search->second;
  if (urls.empty()) return {};
  Result<http::Url> parsed = http::parse_url(urls.front());
  if (!parsed) return fail(std::move(parsed.error()));
  auto upstream = std::make_shared<http::HttpUpstream>(
      loops_, http::HttpUpstreamOptions{.name = std::string(search->second->name()),
                                        .url = std::move(*parsed),
                                        .connect_timeout = kFeedTimeout,
                                        .body_idle_timeout = kFeedTimeout,
                                        .connections_per_loop = 2});
  http_upstreams_.push_back(upstream);
  with.search_changes = std::move(upstream);
  return {};
}

http::Service& Deployment::service(Role role) {
  switch (role) {
    case Role::kGateway:
      return gateway_->service();
    case Role::kMessaging:
      return messaging_->service();
    case Role::kMedia:
      return media_->service();
    case Role::kSearch:
      return search_->service();
  }
  CHECK(false);
}

Result<> Deployment::listen() {
  std::shared_ptr<asio::ssl::context> tls;
  if (!settings_.http.tls_cert_file.empty()) {
    auto made = http::make_server_tls(settings_.http.tls_cert_file, settings_.http.tls_key_file);
    if (!made) return fail(std::move(made.error()));
    tls = std::move(*made);
  }
  for (const Role role : settings_.serve.roles) {
    http::ServerOptions options = server_options(role, settings_);
    options.tls = tls;
    auto server = std::make_unique<http::Server>(loops_, service(role), std::move(options));
    if (auto started = server->start(); !started) return started;
    if (role == Role::kGateway) gateway_port_ = server->port();
    export_server_metrics(role, *server);
    servers_[role] = std::move(server);
  }
  if (search_) leave_search_address();
  return {};
}

// For `parley check` and `parley reindex` on the same folder, whatever flags this server was started with.
void Deployment::leave_search_address() const {
  const std::uint16_t port = servers_.at(Role::kSearch)->port();
  std::ofstream(settings_.serve.data_dir / kSearchAddressFile, std::ios::trunc)
      << url_on_this_host(settings_, port) << '\n';
}

void Deployment::on_first_loop(std::move_only_function<void(std::move_only_function<void()>)> fn) {
  // Shared: the waiting thread may be gone before set_value() has quite returned.
  auto done = std::make_shared<std::promise<void>>();
  loops_.at(0).post([done, work = std::move(fn)]() mutable { work([done] { done->set_value(); }); });
  done->get_future().wait();
}

void Deployment::export_server_metrics(Role role, const http::Server& server) {
  const MetricLabels labels{{"role", std::string(to_string(role))}};
  const http::ServerCounters& counters = server.counters();
  scraped_.push_back(
      metrics_.gauge_from("parley_http_open_connections", "Client connections that are open", labels,
                          [&counters] { return static_cast<double>(counters.open_connections.load()); }));
  scraped_.push_back(
      metrics_.counter_from("parley_http_accepted_connections_total", "Client connections accepted", labels,
                            [&counters] { return static_cast<double>(counters.accepted_connections.load()); }));
  scraped_.push_back(
      metrics_.counter_from("parley_http_refused_connections_total", "Client connections beyond the limit", labels,
                            [&counters] { return static_cast<double>(counters.refused_connections.load()); }));
  scraped_.push_back(
      metrics_.counter_from("parley_http_malformed_requests_total", "Requests refused before any route", labels,
                            [&counters] { return static_cast<double>(counters.malformed_requests.load()); }));
  scraped_.push_back(
      metrics_.counter_from("parley_http_sent_file_bytes_total", "Bytes of answers that the kernel sent from a file",
                            labels, [&counters] { return static_cast<double>(counters.sent_file_bytes.load()); }));
}

void Deployment::export_upstream_metrics(const http::HttpUpstream& upstream, const MetricLabels& labels) {
  const http::HttpUpstreamCounters& counters = upstream.counters();
  scraped_.push_back(
      metrics_.gauge_from("parley_upstream_open_connections", "Connections to the upstream", labels,
                          [&counters] { return static_cast<double>(counters.open_connections.load()); }));
  scraped_.push_back(
      metrics_.gauge_from("parley_upstream_idle_connections", "Of those, unused at the moment", labels,
                          [&counters] { return static_cast<double>(counters.idle_connections.load()); }));
  scraped_.push_back(metrics_.counter_from("parley_upstream_connects_total", "Connections begun", labels,
                                           [&counters] { return static_cast<double>(counters.connects.load()); }));
  scraped_.push_back(
      metrics_.counter_from("parley_upstream_connect_failures_total", "Connections that could not be made", labels,
                            [&counters] { return static_cast<double>(counters.connect_failures.load()); }));
}

}  // namespace parley::app
