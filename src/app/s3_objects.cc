#include "app/s3_objects.h"

#include "app/engine_wait.h"
#include "base/run_on_loop.h"
#include "http/tls.h"
#include "telemetry/log.h"

namespace parley::app {

namespace {

constexpr std::chrono::minutes kFirstClearing{10};
constexpr std::chrono::hours kClearedEvery{1};
constexpr std::chrono::hours kLeftoversKept{24};
constexpr std::chrono::minutes kClearingTimeout{10};
constexpr std::chrono::milliseconds kRoleTimeout{5'000};

std::unexpected<Error> cannot_use(std::string variable, const Error& why) {
  return fail(ErrorKind::kInvalid, "bad_settings", std::move(variable) + ": " + why.detail);
}

// Of the endpoint of a role: where to connect, and what to ask for.
struct RoleEndpoint {
  http::Url url;
  std::string target;
};
Result<RoleEndpoint> role_endpoint(const std::string& text) {
  auto url = http::parse_url(text);
  if (!url) return fail(std::move(url.error()));
  RoleEndpoint endpoint{.url = std::move(*url), .target = {}};
  endpoint.target = std::exchange(endpoint.url.path, "");
  if (text.ends_with('/') || endpoint.target.empty()) endpoint.target += "/";
  return endpoint;
}

}  // namespace

Result<std::unique_ptr<MediaObjects>> S3Objects::open(const S3Settings& settings, EventLoops& loops, const Clock& clock,
                                                      Random& random) {
  std::unique_ptr<S3Objects> objects(new S3Objects(loops, clock, random));
  if (auto done = objects->make_credentials(settings); !done) return fail(std::move(done.error()));
  if (auto done = objects->connect(settings); !done) return fail(std::move(done.error()));
  return objects;
}

S3Objects::~S3Objects() = default;

Result<> S3Objects::make_credentials(const S3Settings& settings) {
  if (!settings.secret_key.empty()) {
    credentials_ = std::make_unique<s3::FixedCredentials>(
        s3::Credentials{.access_key = settings.access_key, .secret_key = settings.secret_key.reveal()});
  } else if (!settings.credentials_file.empty()) {
    credentials_ = std::make_unique<s3::FileCredentials>(settings.credentials_file, "default", key_reader_, clock_);
  } else {
    auto endpoint = role_endpoint(settings.role_endpoint);
    if (!endpoint) return cannot_use("S3_ROLE_ENDPOINT", endpoint.error());
    http::HttpUpstreamOptions options{.name = "s3-role", .url = std::move(endpoint->url)};
    options.connect_timeout = options.body_idle_timeout = kRoleTimeout;
    options.connections_per_loop = 4;
    if (options.url.tls) {
      auto tls = http::make_client_tls();
      if (!tls) return cannot_use("S3_ROLE_ENDPOINT", tls.error());
      options.tls = std::move(*tls);
    }
    credentials_ = std::make_unique<s3::RoleCredentials>(
        std::make_unique<http::HttpUpstream>(loops_, std::move(options)), std::move(endpoint->target),
        settings.role_token_file, key_reader_, clock_);
  }
  return {};
}

Result<> S3Objects::connect(const S3Settings& settings) {
  auto endpoint = http::parse_url(settings.endpoint);
  if (!endpoint) return cannot_use("S3_ENDPOINT", endpoint.error());
  s3::S3ClientOptions options{.address = {.endpoint = std::move(*endpoint),
                                          .region = settings.region,
                                          .bucket = settings.bucket,
                                          .path_style = settings.path_style == "on"},
                              .loops = loops_.size(),
                              .connections_per_loop = std::max<std::size_t>(2, settings.connections / loops_.size()),
                              .timeout = settings.timeout};
  if (!settings.public_endpoint.empty()) {
    auto url = http::parse_url(settings.public_endpoint);
    if (!url) return cannot_use("S3_PUBLIC_ENDPOINT", url.error());
    options.public_endpoint = std::move(*url);
  }
  // One more than may be in use: what nobody reads any more is a moment in closing.
  http::HttpUpstreamOptions upstream{.name = "s3",
                                     .url = options.address.url(),
                                     .connect_timeout = std::min(settings.timeout, std::chrono::milliseconds(3'000)),
                                     .idle_timeout = std::chrono::milliseconds(15'000),
                                     .body_idle_timeout = settings.timeout,
                                     .connections_per_loop = options.connections_per_loop + 1};
  if (upstream.url.tls) {
    auto tls = http::make_client_tls(settings.ca_file);
    if (!tls) return cannot_use("S3_CA_FILE", tls.error());
    upstream.tls = std::move(*tls);
  }
  auto connections = std::make_unique<http::HttpUpstream>(loops_, std::move(upstream));
  connections_ = connections.get();
  client_ = std::make_unique<s3::S3Client>(std::move(connections), *credentials_, clock_, timer_, random_,
                                           std::move(options));
  store_ = std::make_unique<media::S3BlobStore>(*client_, clock_,
                                                media::S3BlobOptions{.presigned_life = settings.presigned_life});
  return {};
}

std::vector<Metrics::Scraped> S3Objects::export_metrics(Metrics& metrics) {
  std::vector<Metrics::Scraped> scraped;
  const auto counter = [&](const char* name, const char* meaning, const std::atomic<std::uint64_t>& value) {
    scraped.push_back(metrics.counter_from(name, meaning, {}, [&value] { return static_cast<double>(value.load()); }));
  };
  const s3::S3Counters& counters = client_->counters();
  counter("parley_s3_requests_total", "Requests to S3, each try counted", counters.requests);
  counter("parley_s3_repeated_total", "Requests to S3 that were tries after the first", counters.repeated);
  counter("parley_s3_failures_total", "Calls of S3 that failed after all their tries", counters.failed);
  scraped.push_back(metrics.gauge_from("parley_s3_connections", "Connections to S3", {}, [this] {
    return static_cast<double>(connections_->counters().open_connections.load());
  }));
  scraped.push_back(metrics.gauge_from("parley_s3_buffered_bytes",
                                       "Bytes of uploads that are on their way to S3, in memory", {},
                                       [this] { return static_cast<double>(store_->buffered_bytes()); }));
  return scraped;
}

Result<> S3Objects::wait_until_ready(EventLoop& loop, std::chrono::seconds longest) {
  return wait_for_engine("S3 (S3_ENDPOINT)", longest,
                         [&] { return run_on_loop(loop, store_->ping(SteadyTime::max())); });
}

void S3Objects::start(EventLoop& loop) {
  tasks_.emplace(loop);
  next_.emplace(loop, [this] {
    if (!stopping_) tasks_->spawn(clear_leftovers());
  });
  next_->arm(loop.coarse_now() + kFirstClearing);
}

Task<> S3Objects::clear_leftovers() {
  const auto cleared =
      co_await store_->clear_leftovers(clock_.wall_now() - kLeftoversKept, clock_.steady_now() + kClearingTimeout);
  if (!cleared) {
    log_warn("leftovers in S3 could not be cleared away", {{"code", cleared.error().code}});
  } else if (*cleared > 0) {
    log_info("leftovers in S3 were cleared away", {{"objects", *cleared}});
  }
  if (!stopping_) next_->arm(EventLoop::current().coarse_now() + kClearedEvery);
}

void S3Objects::stop(std::move_only_function<void()> stopped) {
  stopping_ = true;
  next_.reset();
  auto last = std::make_shared<std::move_only_function<void()>>(std::move(stopped));
  const auto close = [this, last] { store_->close([last] { (*last)(); }); };
  if (tasks_) {
    tasks_->drain(close);
  } else {
    close();
  }
}

}  // namespace parley::app
