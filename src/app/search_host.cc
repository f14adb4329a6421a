#include "app/search_host.h"

#include <boost/json/parse.hpp>
#include <fstream>

#include "app/deployment.h"
#include "app/own_address.h"
#include "auth/internal_token.h"
#include "base/run_on_loop.h"
#include "http/http_upstream.h"
#include "http/in_process_upstream.h"
#include "http/upstream_question.h"

namespace parley::app {

namespace {

constexpr std::size_t kMaxAnswerBytes = 16 * 1024 * 1024;

std::string text_of(const boost::json::object& object, std::string_view name) {
  const boost::json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string url_of_search(const Settings& settings) {
  std::string url;
  if (std::getline(std::ifstream(settings.serve.data_dir / kSearchAddressFile) >> std::ws, url)) return url;
  return url_on_this_host(settings, settings.serve.port_of(Role::kSearch));
}

}  // namespace

SearchHost::SearchHost(Secret key, std::string where) : key_(std::move(key)), where_(std::move(where)) {}

SearchHost::~SearchHost() {
  search_.reset();
  deployment_.reset();
  if (loops_) loops_->stop();
}

Result<Secret> SearchHost::internal_key(const Settings& settings) {
  if (!settings.auth.internal_key.empty()) return settings.auth.internal_key;
  return auth::load_internal_key(settings.serve.data_dir);
}

Result<std::unique_ptr<SearchHost>> SearchHost::open(const Settings& settings, const SearchHostOptions& options) {
  if (!options.url.empty()) return over_http(settings, options);
  Settings alone = settings;
  alone.serve.roles = {Role::kMessaging, Role::kSearch};
  // Of a search that has messaging elsewhere.
  if (!settings.kafka.brokers.empty() && !settings.serve.has(Role::kMessaging)) alone.serve.roles = {Role::kSearch};
  auto deployment = std::make_unique<Deployment>(alone, Deployment::Reach::kThisProcess);
  auto started = deployment->start();
  if (!started && started.error().code == "folder_locked") return over_http(settings, options);
  if (!started) return fail(std::move(started.error()));
  std::unique_ptr<SearchHost> host(new SearchHost(deployment->internal_key(), "this process"));
  host->search_ = std::make_unique<http::InProcessUpstream>("search", deployment->service(Role::kSearch));
  host->loop_ = &deployment->first_loop();
  host->deployment_ = std::move(deployment);
  return host;
}

Result<std::unique_ptr<SearchHost>> SearchHost::over_http(const Settings& settings, const SearchHostOptions& options) {
  const std::string url = options.url.empty() ? url_of_search(settings) : options.url;
  auto parsed = http::parse_url(url);
  if (!parsed) return fail(std::move(parsed.error()));
  auto key = internal_key(settings);
  if (!key) return fail(std::move(key.error()));
  std::unique_ptr<SearchHost> host(new SearchHost(std::move(*key), "the server at " + url));
  http::HttpUpstreamOptions upstream{
      .name = host->where_, .url = std::move(*parsed), .body_idle_timeout = std::chrono::hours(1)};
  if (upstream.url.tls) {
    auto tls = http::make_client_tls(options.ca_file);
    if (!tls) return fail(std::move(tls.error()));
    upstream.tls = std::move(*tls);
  }
  host->loops_ = std::make_unique<EventLoops>(1);
  host->search_ = std::make_unique<http::HttpUpstream>(*host->loops_, std::move(upstream));
  host->loops_->start();
  host->loop_ = &host->loops_->at(0);
  return host;
}

Result<SearchHost::Answer> SearchHost::ask(http::Method method, std::string target, std::string body,
                                           std::chrono::milliseconds timeout) {
  http::Question question{.method = method, .target = std::move(target), .fields = {}, .body = std::move(body)};
  question.fields.emplace_back("Authorization", auth::internal_authorization(key_, "search", clock_));
  question.fields.emplace_back("User-Agent", "parley");
  auto answer =
      run_on_loop(*loop_, http::ask(*search_, std::move(question), clock_.steady_now() + timeout, kMaxAnswerBytes));
  if (!answer) return fail(std::move(answer.error()));
  boost::system::error_code error;
  boost::json::value parsed = boost::json::parse(answer->body, error);
  if (error || !parsed.is_object()) {
    return fail(ErrorKind::kInternal, "odd_answer",
                where_ + " answered " + std::to_string(answer->status) + " with something that is no JSON object.");
  }
  return Answer{answer->status, std::move(parsed.get_object())};
}

std::string SearchHost::Answer::detail() const {
  const std::string text = text_of(body, "detail");
  return text.empty() ? "it answered " + std::to_string(status) : text;
}

std::string SearchHost::Answer::code() const {
  return text_of(body, "code");
}

}  // namespace parley::app
