// Settings: everything an operator may choose, typed and checked. Loaded once at start from defaults < environment <
// flags, then only read, by any thread. Loading fails with all faults at once, each naming its variable and the allowed
// range. The one list of settings is settings_table.cc: docs/configuration.md and .env.example are made from it.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip_networks.h"
#include "config/role.h"
#include "config/secret.h"

namespace parley {

struct ServeSettings {
  std::vector<Role> roles;  // in the order of kAllRoles, each once; never empty
  std::string bind_address;
  std::array<std::uint16_t, 4>
      ports{};  // by Role: the port in force, after flag, PORT, *_PORT and default; 0: any free
  std::filesystem::path data_dir;
  std::size_t threads = 0;  // event loops; never 0 once loaded
  std::chrono::milliseconds shutdown_grace{};

  bool has(Role role) const;
  std::uint16_t port_of(Role role) const { return ports[static_cast<std::size_t>(role)]; }
};

struct HttpSettings {
  std::string tls_cert_file;  // both empty: plain HTTP
  std::string tls_key_file;
  std::vector<std::string> trusted_proxies;       // addresses and networks whose X-Forwarded-* are believed
  std::vector<std::string> cors_allowed_origins;  // empty: none; "*": any
  std::size_t max_header_bytes = 0;
  std::size_t max_body_bytes = 0;   // of a body that is read whole (JSON)
  std::size_t max_connections = 0;  // of each role
  std::chrono::milliseconds header_timeout{};
  std::chrono::milliseconds idle_timeout{};
  std::chrono::milliseconds body_idle_timeout{};
  std::chrono::milliseconds request_deadline{};

  IpNetworks trusted_networks() const;  // trusted_proxies, parsed
};

struct AuthSettings {
  std::string jwt_public_key;  // PEM, one or several; empty: none
  std::string jwks_file;
  std::string jwks_url;
  std::chrono::seconds jwks_refresh{};
  std::string issuer;    // empty: not checked
  std::string audience;  // empty: not checked
  std::chrono::seconds leeway{};
  Secret internal_key;  // what roles sign their calls of each other with; empty: the one in DATA_DIR

  // Whether the operator gave keys; else the key pair in DATA_DIR serves, on loopback only.
  bool has_real_key() const { return !jwt_public_key.empty() || !jwks_file.empty() || !jwks_url.empty(); }
};

struct RateLimitSettings {
  std::size_t messages_per_minute = 0;          // 0: off
  std::size_t service_messages_per_minute = 0;  // 0: off
  std::size_t searches_per_minute = 0;          // 0: off
  std::size_t service_searches_per_minute = 0;  // 0: off
};

struct MessagingSettings {
  std::size_t max_members = 0;  // of a conversation; 0: any number
};

struct TelemetrySettings {
  std::string log_level;   // trace, debug, info, warn, error or off
  std::string log_format;  // auto, json or pretty
  Secret metrics_token;    // empty: the gateway shows metrics to loopback only
};

struct UpstreamSettings {
  std::vector<std::string> messaging_urls;  // of each instance, "http://host:port"; none: in process
  std::vector<std::string> media_urls;
  std::vector<std::string> search_urls;
  std::chrono::milliseconds connect_timeout{};
  std::chrono::milliseconds deadline{};  // of one call, all its tries together
  std::size_t pool_per_core = 0;
  std::size_t retries = 0;
  std::size_t retry_budget_percent = 0;  // retries as a share of requests

  // Of messaging, media or search; none when in process. CHECK-fails for the gateway.
  const std::vector<std::string>& urls_of(Role role) const;
};

struct SearchCacheSettings {
  std::chrono::seconds ttl{};  // 0: off
  std::size_t max_bytes = 0;
};

struct BreakerSettings {
  std::chrono::milliseconds window{};
  std::size_t min_requests = 0;
  std::size_t error_percent = 0;
  std::chrono::milliseconds open_time{};
  std::size_t half_open_probes = 0;
};

struct StoreSettings {
  std::size_t writer_queue = 0;
  std::size_t max_batch = 0;
  std::size_t reader_threads = 0;
  std::size_t max_wal_bytes = 0;
};

struct IndexingSettings {
  std::size_t batch_size = 0;                  // events that are indexed in one transaction, at most
  std::chrono::milliseconds flush_interval{};  // how long an event waits for others to fill the batch
};

struct SearchSettings {
  std::size_t recent_searches_days = 0;  // 0: they do not expire
};

struct MediaSettings {
  static constexpr std::uint64_t kMiB = 1024 * 1024;
  std::uint64_t max_file_size_mb = 0;
  std::uint64_t chunk_size_mb = 0;
  std::chrono::hours upload_expiry{};
  std::uint64_t max_uploads_per_user = 0;  // under way at once; 0: any number
  std::uint64_t quota_per_user_mb = 0;     // 0: none
  std::uint64_t quota_per_tenant_mb = 0;   // 0: none
  std::chrono::hours deleted_files_kept{};
  std::chrono::seconds signed_url_life{};
  Secret signing_keys;     // "id:secret,id2:secret2", the first signs; empty: the one in DATA_DIR
  std::string public_url;  // of the gateway, for signed URLs; empty: its own loopback address
  std::string thumbnails;  // on or off
  std::size_t max_image_megapixels = 0;

  std::uint64_t max_file_bytes() const { return max_file_size_mb * kMiB; }
  std::uint64_t chunk_bytes() const { return chunk_size_mb * kMiB; }
};

struct KafkaSettings {
  std::string brokers;  // empty: logs are read in process
  std::string security;
  std::string sasl_mechanism;
  std::string username;
  Secret password;
  std::string ca_file;    // empty: the system's
  std::string cert_file;  // with key_file
  std::string key_file;
  std::string topic_prefix;
  std::size_t partitions = 0;
  std::size_t replication = 0;  // 0: as the cluster does by itself
};

// What stands in for the embedded engines; an address that is not given: the embedded one.
struct EngineSettings {
  std::chrono::seconds wait{};    // for engines at the start
  std::string elasticsearch_url;  // of OpenSearch or Elasticsearch: one node or several, with commas between
  std::string elasticsearch_username;
  Secret elasticsearch_password;
  Secret elasticsearch_api_key;
  std::string elasticsearch_ca_file;  // empty: the system's authorities
  std::string elasticsearch_index_prefix;
  std::chrono::milliseconds elasticsearch_timeout{};
  std::size_t elasticsearch_connections = 0;  // of each event loop, to each node
  Secret redis_url;
  std::string redis_ca_file;        // empty: the system's authorities
  std::size_t redis_pool_size = 0;  // connections of each event loop
  std::chrono::milliseconds redis_timeout{};
};

struct S3Settings {
  std::string endpoint;  // "https://s3.example.com"; empty: objects are in a folder
  std::string bucket;
  std::string region;
  std::string access_key;  // with a secret; else the file; else the endpoint of a role
  Secret secret_key;
  std::string credentials_file;
  std::string role_endpoint;
  std::string role_token_file;
  std::string path_style;  // on or off
  std::string ca_file;     // empty: the system's authorities
  std::chrono::milliseconds timeout{};
  std::size_t connections = 0;
  std::chrono::seconds presigned_life{};  // 0: bytes go through Parley
  std::string public_endpoint;            // for presigned addresses; empty: endpoint
};

struct MongoSettings {
  Secret uri;  // empty: the embedded store
  std::string database;
  std::size_t pool_size = 0;
  std::chrono::milliseconds timeout{};
  std::string ca_file;  // empty: the system's authorities
};

struct Settings {
  ServeSettings serve;
  HttpSettings http;
  AuthSettings auth;
  RateLimitSettings rate_limit;
  MessagingSettings messaging;
  TelemetrySettings telemetry;
  UpstreamSettings upstream;
  SearchCacheSettings search_cache;
  BreakerSettings breaker;
  StoreSettings store;
  IndexingSettings indexing;
  SearchSettings search;
  MediaSettings media;
  KafkaSettings kafka;
  EngineSettings engines;
  S3Settings s3;
  MongoSettings mongodb;
};

using Environment = std::map<std::string, std::string, std::less<>>;
// The environment of this process.
Environment process_environment();

enum class SettingSource : std::uint8_t { kDefault, kEnvironment, kFlag };

struct LoadedSettings {
  Settings settings;
  // By variable: what is in force, as text ("(hidden)" for a secret), and where it came from.
  struct Shown {
    std::string value;
    SettingSource source = SettingSource::kDefault;
    bool from_file = false;
  };
  std::map<std::string, Shown, std::less<>> shown;
};

// `flags` are the arguments after the subcommand: --kebab-name VALUE or --kebab-name=VALUE; an unknown one is a fault,
// with the nearest known name. An empty environment variable counts as not set. Faults come back as sentences, never
// empty, and never with a secret's value in them.
std::expected<LoadedSettings, std::vector<std::string>> load_settings(const Environment& environment,
                                                                      std::span<const std::string> flags);

// What only `serve` asks: roles that can work together, and a real key where others can reach the port. The faults as
// sentences; empty when all is well.
std::vector<std::string> faults_of_serving(const Settings& settings);

// Whether an IP address (as BIND_ADDRESS takes it) is reachable from this host only.
bool is_loopback_address(std::string_view address);

// The answer to `parley config --explain`: name, value in force, source, default, bounds, meaning.
std::string explain_settings(const LoadedSettings& loaded);

// docs/configuration.md and .env.example, whole. A test holds the committed files against these.
std::string configuration_markdown();
std::string env_example();

}  // namespace parley
