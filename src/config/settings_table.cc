#include "config/settings_table.h"

#include "base/check.h"
#include "config/named_secrets.h"

namespace parley {
namespace {

void store(std::string& to, const SettingValue& value) {
  to = value.text;
}
void store(Secret& to, const SettingValue& value) {
  to = Secret(value.text);
}
void store(std::filesystem::path& to, const SettingValue& value) {
  to = value.text;
}
void store(std::vector<std::string>& to, const SettingValue& value) {
  to = value.list;
}
void store(std::size_t& to, const SettingValue& value) {
  to = value.number;
}
void store(std::chrono::milliseconds& to, const SettingValue& value) {
  to = std::chrono::milliseconds(value.number);
}
void store(std::chrono::hours& to, const SettingValue& value) {
  to = std::chrono::hours(value.number);
}
void store(std::chrono::seconds& to, const SettingValue& value) {
  to = std::chrono::seconds(value.number);
}

template <auto kGroup, auto kMember>
void into(Settings& settings, const SettingValue& value) {
  store(settings.*kGroup.*kMember, value);
}

template <Role kRole>
void into_port(Settings& settings, const SettingValue& value) {
  settings.serve.ports[static_cast<std::size_t>(kRole)] = static_cast<std::uint16_t>(value.number);
}

void into_roles(Settings& settings, const SettingValue& value) {
  settings.serve.roles.clear();
  for (const Role role : kAllRoles) {
    for (const std::string& name : value.list) {
      if (name == to_string(role)) {
        settings.serve.roles.push_back(role);
        break;
      }
    }
  }
}

// PORT is not a value of its own: settings.cc weighs it against the port of the role.
void into_nothing(Settings&, const SettingValue&) {}

constexpr auto kServe = &Settings::serve;
constexpr auto kHttp = &Settings::http;
constexpr auto kAuth = &Settings::auth;
constexpr auto kRateLimit = &Settings::rate_limit;
constexpr auto kMessaging = &Settings::messaging;
constexpr auto kTelemetry = &Settings::telemetry;
constexpr auto kUpstream = &Settings::upstream;
constexpr auto kBreaker = &Settings::breaker;
constexpr auto kStore = &Settings::store;
constexpr auto kIndexing = &Settings::indexing;
constexpr auto kSearch = &Settings::search;
constexpr auto kSearchCache = &Settings::search_cache;
constexpr auto kMedia = &Settings::media;
constexpr auto kKafka = &Settings::kafka;
constexpr auto kEngine = &Settings::engines;
constexpr auto kS3 = &Settings::s3;
constexpr auto kMongo = &Settings::mongodb;

constexpr std::string_view kServing = "Serving";
constexpr std::string_view kHttpLimits = "HTTP limits";
constexpr std::string_view kTokens = "Tokens and origins";
constexpr std::string_view kRates = "Rate limits";
constexpr std::string_view kTalk = "Conversations";
constexpr std::string_view kSeen = "Logs and metrics";
constexpr std::string_view kCalls = "Calls between roles";
constexpr std::string_view kStoring = "Embedded store";
constexpr std::string_view kSearching = "Search";
constexpr std::string_view kFiles = "Files";
constexpr std::string_view kEngines = "Engines";

constexpr std::uint64_t kKiB = 1024, kMiB = 1024 * kKiB;
using enum SettingKind;

// clang-format off
constexpr Setting kTable[] = {
  {.section = kServing, .name = "ROLES", .kind = kRoles, .fallback = "gateway,messaging,media,search",
   .meaning = "The roles this process plays; as a flag, --role is repeated.", .example = "gateway,messaging",
   .assign = into_roles, .flag = "role"},
  {.section = kServing, .name = "BIND_ADDRESS", .kind = kAddress, .fallback = "127.0.0.1",
   .meaning = "Address every role listens on. Any but a loopback address needs JWT_PUBLIC_KEY, JWKS_FILE or JWKS_URL.",
   .example = "0.0.0.0", .assign = into<kServe, &ServeSettings::bind_address>},
  {.section = kServing, .name = "PORT", .kind = kPort, .fallback = "", .min = 0, .max = 65535,
   .meaning = "Port of a role that runs alone; goes before the role's own *_PORT variable. Not read when several roles share the process. 0 is any free port.",
   .example = "8080", .assign = into_nothing},
  {.section = kServing, .name = "GATEWAY_PORT", .kind = kPort, .fallback = "3000", .min = 0, .max = 65535,
   .meaning = "Port of the gateway; 0 is any free port.", .example = "3000", .assign = into_port<Role::kGateway>},
  {.section = kServing, .name = "MESSAGING_PORT", .kind = kPort, .fallback = "3004", .min = 0, .max = 65535,
   .meaning = "Port of messaging; 0 is any free port.", .example = "3004", .assign = into_port<Role::kMessaging>},
  {.section = kServing, .name = "MEDIA_PORT", .kind = kPort, .fallback = "3005", .min = 0, .max = 65535,
   .meaning = "Port of media; 0 is any free port.", .example = "3005", .assign = into_port<Role::kMedia>},
  {.section = kServing, .name = "SEARCH_PORT", .kind = kPort, .fallback = "3006", .min = 0, .max = 65535,
   .meaning = "Port of search; 0 is any free port.", .example = "3006", .assign = into_port<Role::kSearch>},
  {.section = kServing, .name = "DATA_DIR", .kind = kPath, .fallback = "data", .min = 1, .max = 4096,
   .meaning = "Folder of the embedded stores and of the key pair made when no key is given.", .example = "/var/lib/parley",
   .assign = into<kServe, &ServeSettings::data_dir>, .flag = "data"},
  {.section = kServing, .name = "THREADS", .kind = kNumber, .fallback = "0", .min = 0, .max = 256,
   .meaning = "Event loops, one thread each; 0 is one per core.", .example = "4",
   .assign = into<kServe, &ServeSettings::threads>},
  {.section = kServing, .name = "SHUTDOWN_GRACE_MS", .kind = kMilliseconds, .fallback = "10000", .min = 0, .max = 300'000,
   .meaning = "How long requests in flight, of all roles together, may take to finish after SIGTERM or SIGINT before they are cut off.",
   .example = "30000", .assign = into<kServe, &ServeSettings::shutdown_grace>},
  {.section = kServing, .name = "TLS_CERT_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the certificate chain; with TLS_KEY_FILE, every role speaks TLS.",
   .example = "/etc/parley/tls/cert.pem", .assign = into<kHttp, &HttpSettings::tls_cert_file>,
   .required = "with TLS_KEY_FILE"},
  {.section = kServing, .name = "TLS_KEY_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the private key of TLS_CERT_FILE.", .example = "/etc/parley/tls/key.pem",
   .assign = into<kHttp, &HttpSettings::tls_key_file>, .required = "with TLS_CERT_FILE"},

  {.section = kServing, .name = "TRUSTED_PROXIES", .kind = kNetworks, .fallback = "", .min = 1, .max = 64,
   .meaning = "Proxies in front whose X-Forwarded-For, -Proto and -Host are believed: the log names the client behind them. Nobody's when not set.",
   .example = "127.0.0.1,10.0.0.0/8", .assign = into<kHttp, &HttpSettings::trusted_proxies>},

  {.section = kHttpLimits, .name = "HTTP_MAX_HEADER_BYTES", .kind = kBytes, .fallback = "16384", .min = kKiB, .max = kMiB,
   .meaning = "Longest request line and header fields together; beyond it, 431.", .example = "32768",
   .assign = into<kHttp, &HttpSettings::max_header_bytes>},
  {.section = kHttpLimits, .name = "HTTP_MAX_BODY_BYTES", .kind = kBytes, .fallback = "1048576", .min = 32 * kKiB, .max = 64 * kMiB,
   .meaning = "Longest body that is read whole (JSON); beyond it, 413.", .example = "262144",
   .assign = into<kHttp, &HttpSettings::max_body_bytes>},
  {.section = kHttpLimits, .name = "HTTP_MAX_CONNECTIONS", .kind = kNumber, .fallback = "10000", .min = 1, .max = 1'000'000,
   .meaning = "Open client connections of each role; further ones are closed at once.", .example = "50000",
   .assign = into<kHttp, &HttpSettings::max_connections>},
  {.section = kHttpLimits, .name = "HTTP_HEADER_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "10000", .min = 100, .max = 300'000,
   .meaning = "Time for a request's head to arrive, from its first byte.", .example = "5000",
   .assign = into<kHttp, &HttpSettings::header_timeout>},
  {.section = kHttpLimits, .name = "HTTP_IDLE_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "75000", .min = 100, .max = 3'600'000,
   .meaning = "How long a kept-alive connection may wait for its next request.", .example = "30000",
   .assign = into<kHttp, &HttpSettings::idle_timeout>},
  {.section = kHttpLimits, .name = "HTTP_BODY_IDLE_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "30000", .min = 100, .max = 3'600'000,
   .meaning = "Longest pause between two pieces of a body, either way.", .example = "60000",
   .assign = into<kHttp, &HttpSettings::body_idle_timeout>},
  {.section = kHttpLimits, .name = "HTTP_REQUEST_DEADLINE_MS", .kind = kMilliseconds, .fallback = "10000", .min = 100, .max = 600'000,
   .meaning = "Time within which a request is answered, else 504; waiting for its body does not count.", .example = "15000",
   .assign = into<kHttp, &HttpSettings::request_deadline>},

  {.section = kTokens, .name = "JWT_PUBLIC_KEY", .kind = kPem, .fallback = "", .min = 1, .max = 64 * kKiB,
   .meaning = "Public keys that tokens are verified with: one or several PEM blocks (\\n may stand for a line break).",
   .example = "-----BEGIN PUBLIC KEY-----\\n…\\n-----END PUBLIC KEY-----",
   .assign = into<kAuth, &AuthSettings::jwt_public_key>,
   .required = "beyond loopback, unless a JWKS is given", .may_be_file = true},
  {.section = kTokens, .name = "JWKS_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "File with a JSON Web Key Set; read again every JWKS_REFRESH_SECONDS. Not together with JWKS_URL.",
   .example = "/etc/parley/jwks.json", .assign = into<kAuth, &AuthSettings::jwks_file>},
  {.section = kTokens, .name = "JWKS_URL", .kind = kUrl, .fallback = "", .min = 1, .max = 2048,
   .meaning = "Address of a JSON Web Key Set; fetched again every JWKS_REFRESH_SECONDS. Not together with JWKS_FILE.",
   .example = "https://id.example.com/.well-known/jwks.json", .assign = into<kAuth, &AuthSettings::jwks_url>},
  {.section = kTokens, .name = "JWKS_REFRESH_SECONDS", .kind = kSeconds, .fallback = "300", .min = 10, .max = 86'400,
   .meaning = "How often the key set is read again.", .example = "60",
   .assign = into<kAuth, &AuthSettings::jwks_refresh>},
  {.section = kTokens, .name = "JWT_ISSUER", .kind = kText, .fallback = "", .min = 1, .max = 512,
   .meaning = "The `iss` every token must carry; not checked when not set.", .example = "https://id.example.com/",
   .assign = into<kAuth, &AuthSettings::issuer>},
  {.section = kTokens, .name = "JWT_AUDIENCE", .kind = kText, .fallback = "", .min = 1, .max = 512,
   .meaning = "The `aud` every token must carry; not checked when not set.", .example = "parley",
   .assign = into<kAuth, &AuthSettings::audience>},
  {.section = kTokens, .name = "JWT_LEEWAY_SECONDS", .kind = kSeconds, .fallback = "30", .min = 0, .max = 300,
   .meaning = "How far the issuer's clock may be off when `exp` and `nbf` are checked.", .example = "5",
   .assign = into<kAuth, &AuthSettings::leeway>},
  {.section = kTokens, .name = "CORS_ALLOWED_ORIGINS", .kind = kOrigins, .fallback = "", .min = 1, .max = 64,
   .meaning = "Web origins whose scripts may call the API; none when not set.",
   .example = "https://chat.example.com,https://admin.example.com",
   .assign = into<kHttp, &HttpSettings::cors_allowed_origins>},

  {.section = kRates, .name = "RATE_LIMIT_MESSAGES_PER_MINUTE", .kind = kNumber, .fallback = "60", .min = 0, .max = 1'000'000,
   .meaning = "Messages a user may send in a minute; 0 is no limit.", .example = "120",
   .assign = into<kRateLimit, &RateLimitSettings::messages_per_minute>},
  {.section = kRates, .name = "RATE_LIMIT_SERVICE_MESSAGES_PER_MINUTE", .kind = kNumber, .fallback = "0", .min = 0, .max = 10'000'000,
   .meaning = "Messages a service token may send in a minute, for all its users together; 0 is no limit.", .example = "6000",
   .assign = into<kRateLimit, &RateLimitSettings::service_messages_per_minute>},
  {.section = kRates, .name = "RATE_LIMIT_SEARCHES_PER_MINUTE", .kind = kNumber, .fallback = "60", .min = 0, .max = 1'000'000,
   .meaning = "Searches a user may make in a minute, and a tenth of the suggestions; 0 is no limit.", .example = "120",
   .assign = into<kRateLimit, &RateLimitSettings::searches_per_minute>},
  {.section = kRates, .name = "RATE_LIMIT_SERVICE_SEARCHES_PER_MINUTE", .kind = kNumber, .fallback = "0", .min = 0, .max = 10'000'000,
   .meaning = "Searches a service token may make in a minute, for all its users together; 0 is no limit.", .example = "6000",
   .assign = into<kRateLimit, &RateLimitSettings::service_searches_per_minute>},

  {.section = kTalk, .name = "MAX_CONVERSATION_MEMBERS", .kind = kNumber, .fallback = "5000", .min = 0, .max = 1'000'000,
   .meaning = "Members a group may have; one more is 409 too_many_members. 0 is no limit. Groups that have more keep them.", .example = "500",
   .assign = into<kMessaging, &MessagingSettings::max_members>},

  {.section = kSeen, .name = "LOG_LEVEL", .kind = kChoice, .fallback = "info",
   .meaning = "Least severe level that is logged.", .example = "debug",
   .assign = into<kTelemetry, &TelemetrySettings::log_level>, .choices = "trace, debug, info, warn, error, off"},
  {.section = kSeen, .name = "LOG_FORMAT", .kind = kChoice, .fallback = "auto",
   .meaning = "JSON lines, or for people; auto is pretty on a terminal and JSON elsewhere.", .example = "json",
   .assign = into<kTelemetry, &TelemetrySettings::log_format>, .choices = "auto, json, pretty"},
  {.section = kSeen, .name = "METRICS_TOKEN", .kind = kSecret, .fallback = "", .min = 16, .max = 512,
   .meaning = "Bearer token that callers from beyond loopback must show the gateway for /metrics; without it they get none.",
   .example = "a-long-random-string", .assign = into<kTelemetry, &TelemetrySettings::metrics_token>,
   .may_be_file = true},

  {.section = kCalls, .name = "MESSAGING_SERVICE_URL", .kind = kServiceUrls, .fallback = "", .min = 1, .max = 64,
   .meaning = "Where the gateway and media find messaging, one or several instances on one MongoDB; not set: in the same process.", .example = "http://messaging-1:3004,http://messaging-2:3004",
   .assign = into<kUpstream, &UpstreamSettings::messaging_urls>, .required = "for a gateway without messaging beside it"},
  {.section = kCalls, .name = "MEDIA_SERVICE_URL", .kind = kServiceUrls, .fallback = "", .min = 1, .max = 64,
   .meaning = "Where the gateway and messaging find media, one or several instances; not set: in the same process, or nowhere.", .example = "http://media:3005",
   .assign = into<kUpstream, &UpstreamSettings::media_urls>},
  {.section = kCalls, .name = "SEARCH_SERVICE_URL", .kind = kServiceUrls, .fallback = "", .min = 1, .max = 64,
   .meaning = "Where the gateway finds search, one or several instances; not set: in the same process.", .example = "http://search:3006",
   .assign = into<kUpstream, &UpstreamSettings::search_urls>},
  {.section = kCalls, .name = "INTERNAL_KEY", .kind = kSecret, .fallback = "", .min = 32, .max = 512,
   .meaning = "Key with which roles sign what they ask of each other; the same for all roles. Not set: DATA_DIR/internal.key, made at the first start.",
   .example = "the-same-long-random-string-everywhere", .assign = into<kAuth, &AuthSettings::internal_key>,
   .required = "when roles do not share DATA_DIR", .may_be_file = true},
  {.section = kCalls, .name = "UPSTREAM_CONNECT_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "1000", .min = 10, .max = 60'000,
   .meaning = "Time to open a connection to a role; at most UPSTREAM_DEADLINE_MS.", .example = "250",
   .assign = into<kUpstream, &UpstreamSettings::connect_timeout>},
  {.section = kCalls, .name = "UPSTREAM_DEADLINE_MS", .kind = kMilliseconds, .fallback = "5000", .min = 10, .max = 600'000,
   .meaning = "Time for a role to begin its answer once it has the body, all tries together; at most HTTP_REQUEST_DEADLINE_MS. Uploads, which must be on disk first, get 20 s more.", .example = "3000",
   .assign = into<kUpstream, &UpstreamSettings::deadline>},
  {.section = kCalls, .name = "UPSTREAM_POOL_PER_CORE", .kind = kNumber, .fallback = "128", .min = 1, .max = 10'000,
   .meaning = "Connections each event loop may hold to one role; to media as many again for downloads and streams of progress, which last as long as their reader takes.", .example = "64",
   .assign = into<kUpstream, &UpstreamSettings::pool_per_core>},
  {.section = kCalls, .name = "UPSTREAM_RETRIES", .kind = kNumber, .fallback = "2", .min = 0, .max = 5,
   .meaning = "Further tries of a call that may be repeated; 0 is none.", .example = "1",
   .assign = into<kUpstream, &UpstreamSettings::retries>},
  {.section = kCalls, .name = "UPSTREAM_RETRY_BUDGET_PERCENT", .kind = kPercent, .fallback = "20", .min = 0, .max = 100,
   .meaning = "Most retries as a share of the calls, so that retrying never multiplies an outage.", .example = "10",
   .assign = into<kUpstream, &UpstreamSettings::retry_budget_percent>},
  {.section = kCalls, .name = "BREAKER_WINDOW_MS", .kind = kMilliseconds, .fallback = "10000", .min = 1000, .max = 600'000,
   .meaning = "Rolling window over which a role's failures are counted.", .example = "30000",
   .assign = into<kBreaker, &BreakerSettings::window>},
  {.section = kCalls, .name = "BREAKER_MIN_REQUESTS", .kind = kNumber, .fallback = "20", .min = 1, .max = 100'000,
   .meaning = "Calls in the window before the breaker may open.", .example = "50",
   .assign = into<kBreaker, &BreakerSettings::min_requests>},
  {.section = kCalls, .name = "BREAKER_ERROR_PERCENT", .kind = kPercent, .fallback = "50", .min = 1, .max = 100,
   .meaning = "Share of failed calls at which the breaker opens.", .example = "30",
   .assign = into<kBreaker, &BreakerSettings::error_percent>},
  {.section = kCalls, .name = "BREAKER_OPEN_MS", .kind = kMilliseconds, .fallback = "5000", .min = 100, .max = 600'000,
   .meaning = "How long the breaker stays open before it lets probes through.", .example = "10000",
   .assign = into<kBreaker, &BreakerSettings::open_time>},
  {.section = kCalls, .name = "BREAKER_HALF_OPEN_PROBES", .kind = kNumber, .fallback = "3", .min = 1, .max = 100,
   .meaning = "Probes let through at once while half open; all must succeed for the breaker to close.", .example = "1",
   .assign = into<kBreaker, &BreakerSettings::half_open_probes>},

  {.section = kStoring, .name = "STORE_WRITER_QUEUE", .kind = kNumber, .fallback = "4096", .min = 16, .max = 1'000'000,
   .meaning = "Writes that may wait for the writer thread; beyond it, 503.", .example = "16384",
   .assign = into<kStore, &StoreSettings::writer_queue>},
  {.section = kStoring, .name = "STORE_MAX_BATCH", .kind = kNumber, .fallback = "256", .min = 1, .max = 10'000,
   .meaning = "Most writes that share one commit and one fsync; at most STORE_WRITER_QUEUE.", .example = "128",
   .assign = into<kStore, &StoreSettings::max_batch>},
  {.section = kStoring, .name = "STORE_READER_THREADS", .kind = kNumber, .fallback = "4", .min = 1, .max = 128,
   .meaning = "Threads that read the store, each with a connection of its own.", .example = "8",
   .assign = into<kStore, &StoreSettings::reader_threads>},
  {.section = kStoring, .name = "STORE_MAX_WAL_BYTES", .kind = kBytes, .fallback = "67108864", .min = kMiB, .max = 16'384 * kMiB,
   .meaning = "Length of the write-ahead log from which on the writer waits for a full checkpoint.", .example = "268435456",
   .assign = into<kStore, &StoreSettings::max_wal_bytes>},

  {.section = kSearching, .name = "INDEXING_BATCH_SIZE", .kind = kNumber, .fallback = "500", .min = 1, .max = 5000,
   .meaning = "Most events that are indexed together, in one transaction.", .example = "1000",
   .assign = into<kIndexing, &IndexingSettings::batch_size>},
  {.section = kSearching, .name = "INDEXING_FLUSH_INTERVAL_MS", .kind = kMilliseconds, .fallback = "50", .min = 0, .max = 1000,
   .meaning = "How long an event waits for others before it is indexed, unless the batch is full; 0: not at all.",
   .example = "100", .assign = into<kIndexing, &IndexingSettings::flush_interval>},
  {.section = kSearching, .name = "RECENT_SEARCHES_DAYS", .kind = kNumber, .fallback = "90", .min = 0, .max = 3650,
   .meaning = "Days for which a user's recent searches are kept; 0 keeps them until they are pushed out or cleared.", .example = "30",
   .assign = into<kSearch, &SearchSettings::recent_searches_days>},
  {.section = kSearching, .name = "SEARCH_CACHE_TTL_SECONDS", .kind = kSeconds, .fallback = "60", .min = 0, .max = 3600,
   .meaning = "How long the gateway may answer a search from its cache, where nothing changes in the tenant meanwhile; 0 is no cache.",
   .example = "10", .assign = into<kSearchCache, &SearchCacheSettings::ttl>},
  {.section = kSearching, .name = "SEARCH_CACHE_MAX_BYTES", .kind = kBytes, .fallback = "33554432", .min = kMiB, .max = 16'384 * kMiB,
   .meaning = "Most memory that cached searches take; the longest unused give way.", .example = "134217728",
   .assign = into<kSearchCache, &SearchCacheSettings::max_bytes>},

  {.section = kFiles, .name = "MAX_FILE_SIZE_MB", .kind = kNumber, .fallback = "1024", .min = 1, .max = 1'048'576,
   .meaning = "Largest file, in MiB; beyond it, 413.", .example = "5120", .assign = into<kMedia, &MediaSettings::max_file_size_mb>},
  {.section = kFiles, .name = "CHUNK_SIZE_MB", .kind = kNumber, .fallback = "8", .min = 1, .max = 1024,
   .meaning = "Size of the chunks of an upload in chunks, in MiB.", .example = "16", .assign = into<kMedia, &MediaSettings::chunk_size_mb>},
  {.section = kFiles, .name = "UPLOAD_EXPIRY_HOURS", .kind = kNumber, .fallback = "24", .min = 1, .max = 8760,
   .meaning = "Hours after its last bytes for which an unfinished upload is kept.", .example = "72",
   .assign = into<kMedia, &MediaSettings::upload_expiry>},
  {.section = kFiles, .name = "MAX_UPLOADS_PER_USER", .kind = kNumber, .fallback = "100", .min = 0, .max = 1'000'000,
   .meaning = "Unfinished uploads that a user may have at once; one more is 409 too_many_uploads. 0 is no limit.", .example = "20",
   .assign = into<kMedia, &MediaSettings::max_uploads_per_user>},
  {.section = kFiles, .name = "QUOTA_PER_USER_MB", .kind = kNumber, .fallback = "0", .min = 0, .max = 1'099'511'627'776,
   .meaning = "MiB that a user's files and uploads may take; beyond it, 507 quota_exceeded. 0 is no limit.", .example = "10240",
   .assign = into<kMedia, &MediaSettings::quota_per_user_mb>},
  {.section = kFiles, .name = "QUOTA_PER_TENANT_MB", .kind = kNumber, .fallback = "0", .min = 0, .max = 1'099'511'627'776,
   .meaning = "The same for all users of a tenant together. 0 is no limit.", .example = "1048576",
   .assign = into<kMedia, &MediaSettings::quota_per_tenant_mb>},
  {.section = kFiles, .name = "DELETED_FILES_KEPT_HOURS", .kind = kNumber, .fallback = "24", .min = 0, .max = 8760,
   .meaning = "Hours after which the bytes of a deleted file are removed; no answer shows it meanwhile.", .example = "168",
   .assign = into<kMedia, &MediaSettings::deleted_files_kept>},
  {.section = kFiles, .name = "SIGNED_URL_SECONDS", .kind = kSeconds, .fallback = "900", .min = 1, .max = 86'400,
   .meaning = "Life of a signed URL whose maker does not say another.", .example = "3600",
   .assign = into<kMedia, &MediaSettings::signed_url_life>},
  {.section = kFiles, .name = "SIGNING_KEYS", .kind = kNamedSecrets, .fallback = "", .min = 1, .max = 4096,
   .meaning = "Keys of signed URLs as id:secret, comma-separated: the first signs, all are accepted. Not set: DATA_DIR/url-signing.key, made at the first start.",
   .example = "b:a-long-random-string,a:the-string-before-it", .assign = into<kMedia, &MediaSettings::signing_keys>,
   .required = "when several instances serve media", .may_be_file = true},
  {.section = kFiles, .name = "PUBLIC_URL", .kind = kUrl, .fallback = "", .min = 1, .max = 512,
   .meaning = "Where clients reach the gateway: signed URLs begin with it. Not set: the gateway's own address on this host.",
   .example = "https://chat.example.com", .assign = into<kMedia, &MediaSettings::public_url>},
  {.section = kFiles, .name = "THUMBNAILS", .kind = kChoice, .fallback = "on",
   .meaning = "Whether pictures get thumbnails.", .example = "off", .assign = into<kMedia, &MediaSettings::thumbnails>, .choices = "on, off"},
  {.section = kFiles, .name = "MAX_IMAGE_MEGAPIXELS", .kind = kNumber, .fallback = "50", .min = 1, .max = 10'000,
   .meaning = "Largest picture that gets thumbnails.", .example = "100", .assign = into<kMedia, &MediaSettings::max_image_megapixels>},

  {.section = kEngines, .name = "ENGINE_WAIT_SECONDS", .kind = kSeconds, .fallback = "60", .min = 0, .max = 3600,
   .meaning = "How long the start waits for each of MongoDB, Kafka, the search engine, S3 where media is alone, and messaging where search is alone; then it ends and says which one is missing. Redis, and S3 beside other roles, are not waited for: the log and /health tell of them.", .example = "300",
   .assign = into<kEngine, &EngineSettings::wait>},
  {.section = kEngines, .name = "ELASTICSEARCH_URL", .kind = kText, .fallback = "", .min = 1, .max = 2048,
   .meaning = "OpenSearch or Elasticsearch that has the search index: http or https, several nodes with commas between. Not set: the index is in DATA_DIR.",
   .example = "https://search-1:9200,https://search-2:9200", .assign = into<kEngine, &EngineSettings::elasticsearch_url>},
  {.section = kEngines, .name = "ELASTICSEARCH_USERNAME", .kind = kText, .fallback = "", .min = 1, .max = 256,
   .meaning = "User for basic authorization there.", .example = "parley",
   .assign = into<kEngine, &EngineSettings::elasticsearch_username>},
  {.section = kEngines, .name = "ELASTICSEARCH_PASSWORD", .kind = kSecret, .fallback = "", .min = 1, .max = 1024,
   .meaning = "The user's password.", .example = "change-this-one",
   .assign = into<kEngine, &EngineSettings::elasticsearch_password>, .may_be_file = true},
  {.section = kEngines, .name = "ELASTICSEARCH_API_KEY", .kind = kSecret, .fallback = "", .min = 1, .max = 4096,
   .meaning = "API key, as the engine encoded it, instead of user and password.", .example = "aWQ6a2V5",
   .assign = into<kEngine, &EngineSettings::elasticsearch_api_key>, .may_be_file = true},
  {.section = kEngines, .name = "ELASTICSEARCH_CA_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the authorities that may vouch for it, instead of the system's.",
   .example = "/etc/parley/tls/search-ca.pem", .assign = into<kEngine, &EngineSettings::elasticsearch_ca_file>},
  {.section = kEngines, .name = "ELASTICSEARCH_INDEX_PREFIX", .kind = kText, .fallback = "parley", .min = 1, .max = 64,
   .meaning = "What the names of its indexes begin with; lower case. Each installation has its own.", .example = "parley-staging",
   .assign = into<kEngine, &EngineSettings::elasticsearch_index_prefix>},
  {.section = kEngines, .name = "ELASTICSEARCH_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "10000", .min = 100, .max = 120'000,
   .meaning = "Time for one answer; a request that has less time left waits no longer than that.", .example = "5000",
   .assign = into<kEngine, &EngineSettings::elasticsearch_timeout>},
  {.section = kEngines, .name = "ELASTICSEARCH_CONNECTIONS", .kind = kNumber, .fallback = "32", .min = 1, .max = 1024,
   .meaning = "Connections to each node that each event loop may hold; beyond it a search is 503.", .example = "64",
   .assign = into<kEngine, &EngineSettings::elasticsearch_connections>},
  {.section = kEngines, .name = "REDIS_URL", .kind = kSecret, .fallback = "", .min = 1, .max = 2048,
   .meaning = "Redis that counts limits for all processes, keeps recent searches and lets gateways share cached ones: redis://[user:password@]host[:port][/database], or rediss:// for TLS. Not set: each process counts and keeps its own.",
   .example = "rediss://parley:secret@redis:6379/0", .assign = into<kEngine, &EngineSettings::redis_url>, .may_be_file = true},
  {.section = kEngines, .name = "REDIS_CA_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the authorities that may vouch for Redis, instead of the system's.",
   .example = "/etc/parley/tls/redis-ca.pem", .assign = into<kEngine, &EngineSettings::redis_ca_file>},
  {.section = kEngines, .name = "REDIS_POOL_SIZE", .kind = kNumber, .fallback = "2", .min = 1, .max = 64,
   .meaning = "Connections to Redis that each event loop may hold.", .example = "4",
   .assign = into<kEngine, &EngineSettings::redis_pool_size>},
  {.section = kEngines, .name = "REDIS_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "500", .min = 10, .max = 60'000,
   .meaning = "Time to connect to Redis, and for it to say anything while an answer is owed; beyond it the connection is given up. A limit waits 25 ms at most, whatever this is.",
   .example = "250", .assign = into<kEngine, &EngineSettings::redis_timeout>},
  {.section = kEngines, .name = "S3_ENDPOINT", .kind = kUrl, .fallback = "", .min = 1, .max = 512,
   .meaning = "S3, or what speaks like it, for the bytes of files. Not set: they are in DATA_DIR. What is stored in the one is not looked for in the other.",
   .example = "https://s3.eu-central-1.amazonaws.com", .assign = into<kS3, &S3Settings::endpoint>},
  {.section = kEngines, .name = "S3_BUCKET", .kind = kText, .fallback = "parley", .min = 3, .max = 63,
   .meaning = "Bucket, which must be there; Parley's keys in it begin with files/ and uploads/.", .example = "chat-files",
   .assign = into<kS3, &S3Settings::bucket>},
  {.section = kEngines, .name = "S3_REGION", .kind = kText, .fallback = "us-east-1", .min = 1, .max = 64,
   .meaning = "Region that requests are signed for.", .example = "eu-central-1", .assign = into<kS3, &S3Settings::region>},
  {.section = kEngines, .name = "S3_ACCESS_KEY", .kind = kText, .fallback = "", .min = 1, .max = 256,
   .meaning = "Access key, with S3_SECRET_KEY. Not set: S3_CREDENTIALS_FILE or S3_ROLE_ENDPOINT gives the keys.",
   .example = "AKIAIOSFODNN7EXAMPLE", .assign = into<kS3, &S3Settings::access_key>, .required = "with S3_SECRET_KEY"},
  {.section = kEngines, .name = "S3_SECRET_KEY", .kind = kSecret, .fallback = "", .min = 1, .max = 256,
   .meaning = "Secret of S3_ACCESS_KEY.", .example = "a-long-random-string", .assign = into<kS3, &S3Settings::secret_key>,
   .required = "with S3_ACCESS_KEY", .may_be_file = true},
  {.section = kEngines, .name = "S3_CREDENTIALS_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "File with the keys under [default], as the AWS tools write it; looked at again every minute.",
   .example = "/run/secrets/aws-credentials", .assign = into<kS3, &S3Settings::credentials_file>},
  {.section = kEngines, .name = "S3_ROLE_ENDPOINT", .kind = kUrl, .fallback = "", .min = 1, .max = 512,
   .meaning = "Where a container (its credentials URI) or a machine (…/latest/meta-data/iam/security-credentials/) gets keys that expire; they are renewed before.",
   .example = "http://169.254.170.23/v1/credentials", .assign = into<kS3, &S3Settings::role_endpoint>},
  {.section = kEngines, .name = "S3_ROLE_TOKEN_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "File with the token that S3_ROLE_ENDPOINT wants to see; read at each renewal.",
   .example = "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
   .assign = into<kS3, &S3Settings::role_token_file>},
  {.section = kEngines, .name = "S3_PATH_STYLE", .kind = kChoice, .fallback = "on",
   .meaning = "Whether the bucket is named in the path (on) or in front of the host (off).", .example = "off",
   .assign = into<kS3, &S3Settings::path_style>, .choices = "on, off"},
  {.section = kEngines, .name = "S3_CA_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the authorities that may vouch for S3_ENDPOINT. Not set: the system's.",
   .example = "/etc/parley/s3-ca.pem", .assign = into<kS3, &S3Settings::ca_file>},
  {.section = kEngines, .name = "S3_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "10000", .min = 100, .max = 120'000,
   .meaning = "How long S3 may take to answer one try, or to take or give the next bytes; copies within S3 get six times as long.",
   .example = "5000", .assign = into<kS3, &S3Settings::timeout>},
  {.section = kEngines, .name = "S3_CONNECTIONS", .kind = kNumber, .fallback = "256", .min = 4, .max = 10'000,
   .meaning = "Connections to S3 at once, shared out among the event loops; a quarter is for short calls alone. Who finds none waits.",
   .example = "64", .assign = into<kS3, &S3Settings::connections>},
  {.section = kEngines, .name = "S3_PRESIGNED_SECONDS", .kind = kSeconds, .fallback = "0", .min = 0, .max = 3600,
   .meaning = "Downloads over 16 KiB are answered with 307 and an address of S3's own, which opens the file for so long to whoever has it; clients must reach S3, and pages its CORS. 0, or no S3_ENDPOINT: the bytes go through Parley.",
   .example = "60", .assign = into<kS3, &S3Settings::presigned_life>},
  {.section = kEngines, .name = "S3_PUBLIC_ENDPOINT", .kind = kUrl, .fallback = "", .min = 1, .max = 512,
   .meaning = "Where clients reach S3, for the addresses of S3_PRESIGNED_SECONDS. Not set: S3_ENDPOINT.",
   .example = "https://files.example.com", .assign = into<kS3, &S3Settings::public_endpoint>},
  {.section = kEngines, .name = "MONGODB_URI", .kind = kSecret, .fallback = "", .min = 1, .max = 4096,
   .meaning = "MongoDB replica set that holds the data of messaging, and what media knows of files (their bytes are in S3_ENDPOINT, or in DATA_DIR for one instance alone): mongodb:// or mongodb+srv://, with user, password, replicaSet and tls as MongoDB's manual says. Not set: the embedded store.",
   .example = "mongodb://parley:password@db-1,db-2,db-3/?replicaSet=rs0&tls=true", .assign = into<kMongo, &MongoSettings::uri>,
   .may_be_file = true},
  {.section = kEngines, .name = "MONGODB_DATABASE", .kind = kText, .fallback = "parley", .min = 1, .max = 63,
   .meaning = "Its database. One for each deployment.", .example = "parley_staging", .assign = into<kMongo, &MongoSettings::database>},
  {.section = kEngines, .name = "MONGODB_POOL_SIZE", .kind = kNumber, .fallback = "24", .min = 4, .max = 1'000,
   .meaning = "Connections of a role to MongoDB, at most; two thirds of them read at once, a third writes.",
   .example = "48", .assign = into<kMongo, &MongoSettings::pool_size>},
  {.section = kEngines, .name = "MONGODB_TIMEOUT_MS", .kind = kMilliseconds, .fallback = "8000", .min = 100, .max = 60'000,
   .meaning = "How long one command, and all of a transaction, may take there. Without a primary writes and reads are 503 after 2 s, or this if it is less.",
   .example = "4000", .assign = into<kMongo, &MongoSettings::timeout>},
  {.section = kEngines, .name = "MONGODB_CA_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the authorities that may vouch for MongoDB, instead of the system's; given, connections are encrypted whatever MONGODB_URI says.",
   .example = "/etc/parley/tls/mongodb-ca.pem", .assign = into<kMongo, &MongoSettings::ca_file>},
  {.section = kEngines, .name = "KAFKA_BROKERS", .kind = kText, .fallback = "", .min = 1, .max = 4096,
   .meaning = "Brokers of the Kafka cluster that carries events between processes, host:port, comma-separated. Not set: a log is read in its own process only.",
   .example = "kafka-1:9092,kafka-2:9092", .assign = into<kKafka, &KafkaSettings::brokers>},
  {.section = kEngines, .name = "KAFKA_SECURITY", .kind = kChoice, .fallback = "plaintext",
   .meaning = "How brokers are spoken to.", .example = "sasl_ssl", .assign = into<kKafka, &KafkaSettings::security>,
   .choices = "plaintext, ssl, sasl_plaintext, sasl_ssl"},
  {.section = kEngines, .name = "KAFKA_SASL_MECHANISM", .kind = kChoice, .fallback = "PLAIN",
   .meaning = "How KAFKA_USERNAME and KAFKA_PASSWORD are shown to brokers, with sasl_plaintext and sasl_ssl. Kafka 4 refuses SCRAM of librdkafka before 2.6.1, and Debian 12 has 2.0.2.",
   .example = "SCRAM-SHA-512", .assign = into<kKafka, &KafkaSettings::sasl_mechanism>,
   .choices = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"},
  {.section = kEngines, .name = "KAFKA_USERNAME", .kind = kText, .fallback = "", .min = 1, .max = 256,
   .meaning = "User at the brokers, with sasl_plaintext and sasl_ssl.", .example = "parley",
   .assign = into<kKafka, &KafkaSettings::username>},
  {.section = kEngines, .name = "KAFKA_PASSWORD", .kind = kSecret, .fallback = "", .min = 1, .max = 1024,
   .meaning = "The password to KAFKA_USERNAME.", .example = "correct-horse-battery-staple",
   .assign = into<kKafka, &KafkaSettings::password>, .may_be_file = true},
  {.section = kEngines, .name = "KAFKA_CA_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the authorities that may vouch for brokers, instead of the system's.",
   .example = "/etc/parley/tls/kafka-ca.pem", .assign = into<kKafka, &KafkaSettings::ca_file>},
  {.section = kEngines, .name = "KAFKA_CERT_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the certificate that we show brokers, with KAFKA_SECURITY ssl or sasl_ssl and with KAFKA_KEY_FILE.",
   .example = "/etc/parley/tls/kafka-client.pem", .assign = into<kKafka, &KafkaSettings::cert_file>,
   .required = "with KAFKA_KEY_FILE"},
  {.section = kEngines, .name = "KAFKA_KEY_FILE", .kind = kPath, .fallback = "", .min = 1, .max = 4096,
   .meaning = "PEM file with the private key of KAFKA_CERT_FILE.", .example = "/etc/parley/tls/kafka-client-key.pem",
   .assign = into<kKafka, &KafkaSettings::key_file>, .required = "with KAFKA_CERT_FILE"},
  {.section = kEngines, .name = "KAFKA_TOPIC_PREFIX", .kind = kText, .fallback = "", .min = 1, .max = 64,
   .meaning = "What stands before the names of topics, groups and transactional ids, for clusters that others use too. The same for all roles.",
   .example = "parley.", .assign = into<kKafka, &KafkaSettings::topic_prefix>},
  {.section = kEngines, .name = "KAFKA_PARTITIONS", .kind = kNumber, .fallback = "12", .min = 1, .max = 256,
   .meaning = "Partitions of the topics that are made at the start; as many searches can share the reading. Topics that are there already are left as they are.",
   .example = "48", .assign = into<kKafka, &KafkaSettings::partitions>},
  {.section = kEngines, .name = "KAFKA_REPLICATION", .kind = kNumber, .fallback = "0", .min = 0, .max = 9,
   .meaning = "Replicas of the topics that are made at the start; from 3 on, min.insync.replicas is 2. 0 leaves it to the cluster.",
   .example = "3", .assign = into<kKafka, &KafkaSettings::replication>},
};
// clang-format on

std::string_view unit_of(SettingKind kind) {
  switch (kind) {
    case kBytes:
      return " bytes";
    case kPercent:
      return " percent";
    case kMilliseconds:
      return " ms";
    case kSeconds:
      return " s";
    default:
      return "";
  }
}

std::string range(std::uint64_t min, std::uint64_t max) {
  return std::to_string(min) + " to " + std::to_string(max);
}

}  // namespace

std::span<const Setting> settings_table() {
  return kTable;
}

const Setting& setting_named(std::string_view name) {
  for (const Setting& setting : kTable) {
    if (setting.name == name) return setting;
  }
  CHECK(!"a setting of that name");
  std::abort();
}

std::string Setting::flag_name() const {
  if (!flag.empty()) return std::string(flag);
  std::string kebab(name);
  for (char& c : kebab) c = c == '_' ? '-' : static_cast<char>(c + ('a' - 'A') * (c >= 'A' && c <= 'Z'));
  return kebab;
}

std::string Setting::bounds() const {
  switch (kind) {
    case kNumber:
    case kPort:
    case kBytes:
    case kPercent:
    case kMilliseconds:
    case kSeconds:
      return range(min, max).append(unit_of(kind));
    case kChoice:
      return "one of " + std::string(choices);
    case kText:
      return range(min, max) + " bytes of text";
    case kAddress:
      return "an IPv4 or IPv6 address";
    case kServiceUrls:
      return range(min, max) + " of http://host[:port], comma-separated";
    case kUrl:
      return "an http:// or https:// URL";
    case kPath:
      return "a path of " + range(min, max) + " bytes";
    case kPem:
      return "PEM, at most " + std::to_string(max) + " bytes";
    case kSecret:
      return range(min, max) + " characters of visible ASCII";
    case kNamedSecrets:
      return range(1, kMostNamedSecrets) + " of id:secret, comma-separated, secrets of " +
             std::to_string(kLeastNamedSecretBytes) + " or more characters of visible ASCII";
    case kOrigins:
      return range(min, max) + " of scheme://host[:port], comma-separated, or * alone";
    case kNetworks:
      return range(min, max) + " IP addresses or networks (10.0.0.0/8), comma-separated";
    case kRoles:
      return "any of gateway, messaging, media, search, comma-separated";
  }
  return {};
}

}  // namespace parley
