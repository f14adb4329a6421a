// Deployment: the roles that one process runs, wired together. The only place that chooses adapters: which store, which
// upstream, which key source. Made, started and stopped by `parley serve` on the main thread.
//
// Order of life: whatever is used outlives its user, so members stand lowest first; the loops' threads end before
// anything that tasks refer to goes away.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "auth/authenticator.h"
#include "auth/key_refresher.h"
#include "base/blocking.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "config/settings.h"
#include "events/event_log.h"
#include "events/relay_lease.h"
#include "gateway/gateway.h"
#include "http/http_upstream.h"
#include "http/server.h"
#include "resilience/timer.h"
#include "telemetry/metrics.h"

namespace parley::app {

class EventRelay;
class KafkaEngine;
class MediaRole;
class MessagingRole;
class RedisEngine;
class SearchRole;

class Deployment {
 public:
  // kThisProcess: no ports and no user's tokens, only the roles' services, for the host's own commands.
  enum class Reach : std::uint8_t { kPorts, kThisProcess };
  explicit Deployment(const Settings& settings, Reach reach = Reach::kPorts);
  // Stops, if that has not been done.
  ~Deployment();

  // Opens stores, loads keys, binds ports; when it returns, every role answers. What it could not do comes back as an
  // error for the operator, and then nothing is left running.
  Result<> start();
  // Answers what is in flight within the grace time, then ends. Idempotent.
  void stop();

  // Where each running role listens, in the order of kAllRoles.
  struct Listening {
    Role role;
    std::uint16_t port;
  };
  std::vector<Listening> listening() const;

  // Once started: a role of this process, and a loop to ask it on.
  http::Service& service(Role role);
  EventLoop& first_loop() { return loops_.at(0); }
  // What calls of internal routes are signed with.
  const Secret& internal_key() const { return internal_key_; }

 private:
  Result<> load_keys();
  Result<> load_internal_key();
  Result<> open_redis();
  Result<> open_kafka();
  void relay(Role role, events::EventLog& log, std::unique_ptr<events::RelayLease> lease, std::string_view users_topic);
  void forget_other_reader();
  Result<> open_messaging();
  Result<> open_search();
  Result<> open_media();
  // The role in this process, open by then or not, or where settings say that it is; null where there is neither.
  Result<std::shared_ptr<http::Upstream>> upstream_of(Role role);
  // Those that settings name, as one.
  Result<std::shared_ptr<http::Upstream>> instances_of(Role role);
  std::shared_ptr<http::Upstream> connections_to(Role role, const http::Url& url, MetricLabels labels);
  // Where clients reach the gateway, as far as this process knows. Any thread.
  std::string gateway_address() const;
  Result<> make_gateway();
  Result<> let_gateway_follow_search(gateway::GatewayDependencies& with);
  Result<> listen();
  void leave_search_address() const;
  // Runs `fn` on the first loop with a callback that it must call, and waits for that.
  void on_first_loop(std::move_only_function<void(std::move_only_function<void()>)> fn);
  std::vector<std::shared_ptr<http::Middleware>> service_middleware(Role role, const std::vector<http::Route>& routes);
  std::shared_ptr<http::Middleware> authentication(Role role);
  void export_server_metrics(Role role, const http::Server& server);
  // `instance`: empty where there is but one.
  void export_upstream_metrics(const http::HttpUpstream& upstream, const MetricLabels& labels);

  const Settings settings_;
  const Reach reach_;
  SystemClock clock_;
  SecureRandom random_;
  LoopTimer timer_;
  Metrics metrics_;
  EventLoops loops_;
  bool loops_running_ = false;
  bool started_ = false;  // background work runs on the first loop

  BlockingPool file_reads_{"file-read", 1, 16};
  auth::KeyRing keys_;
  std::unique_ptr<auth::KeyRefresher> key_refresher_;
  std::unique_ptr<auth::Authenticator> authenticator_;
  std::atomic<std::uint16_t> gateway_port_;  // as set, until it listens
  Secret internal_key_;                      // empty where no role of this process makes or takes internal calls

  std::unique_ptr<RedisEngine> redis_;  // null: REDIS_URL is not set
  std::unique_ptr<gateway::SharedAnswers> shared_answers_;

  std::unique_ptr<KafkaEngine> kafka_;  // null: KAFKA_BROKERS is not set
  std::unique_ptr<MessagingRole> messaging_;
  std::unique_ptr<SearchRole> search_;  // asks messaging and reads its log: goes first
  std::unique_ptr<MediaRole> media_;
  std::vector<std::unique_ptr<EventRelay>> relays_;            // of the logs of this process's roles
  std::map<Role, std::shared_ptr<http::Upstream>> upstreams_;  // those that have been asked for; each serves all askers
  std::vector<std::shared_ptr<http::HttpUpstream>> http_upstreams_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::map<Role, std::unique_ptr<http::Server>> servers_;
  std::vector<Metrics::Scraped> scraped_;
};

}  // namespace parley::app
