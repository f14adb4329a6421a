#include "app/search_role.h"

#include "app/engine_wait.h"
#include "app/redis_engine.h"
#include "auth/internal_token.h"
#include "base/run_on_loop.h"
#include "base/sha256.h"
#include "search/stores/redis_recent_searches.h"
#include "search/stores/sqlite_recent_searches.h"
#include "telemetry/log.h"

namespace parley::app {

namespace {

constexpr std::chrono::minutes kSweepEvery{1};
constexpr std::size_t kSweptAtOnce = 500;
constexpr std::chrono::seconds kLongestAnswer{3};

// A secret of its own, so that no text that it makes can be taken for one of the key's other uses.
std::string cursor_secret(const Secret& internal_key) {
  const auto digest = sha256("parley search cursors\n" + std::string(internal_key.reveal()));
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Result<std::unique_ptr<SearchRole>> SearchRole::open(const Settings& settings, Surroundings around) {
  std::unique_ptr<SearchRole> role(new SearchRole(settings, around));
  const std::filesystem::path folder = settings.serve.data_dir / "search";
  if (auto opened = role->open_index(folder); !opened) return fail(std::move(opened.error()));
  if (auto opened = role->open_recent_searches(folder); !opened) return fail(std::move(opened.error()));

  role->reindexer_.emplace(search::Reindexer::Dependencies{.loop = around.loop,
                                                           .index = *role->index_,
                                                           .store = role->store_,
                                                           .turn = role->turn_,
                                                           .changes = role->changes_,
                                                           .metrics = role->index_metrics_,
                                                           .clock = around.clock,
                                                           .random = around.random},
                           search::Reindexer::Settings{});
  role->audit_.emplace(search::IndexAudit::Dependencies{.index = *role->index_,
                                                        .store = role->store_,
                                                        .log = role->log_,
                                                        .progress = role->progress_,
                                                        .reindex = *role->reindexer_,
                                                        .clock = around.clock},
                       search::IndexAudit::Settings{});
  role->follow_log();
  return role;
}

Result<> SearchRole::open_recent_searches(const std::filesystem::path& folder) {
  const std::chrono::days life(settings_.search.recent_searches_days);
  if (around_.redis != nullptr) {
    recent_ = std::make_unique<search::RedisRecentSearches>(
        around_.redis->client(),
        search::RedisRecentSearches::Options{.life = life, .timeout = around_.redis->timeout()}, around_.clock);
    return {};
  }
  auto recent = search::SqliteRecentSearches::open({.folder = folder, .life = life}, around_.clock);
  if (!recent) return fail(std::move(recent.error()));
  recent_ = std::move(*recent);
  return {};
}

Result<> SearchRole::open_index(const std::filesystem::path& folder) {
  auto engine = SearchEngine::open(settings_, around_.loops, around_.clock);
  if (!engine) return fail(std::move(engine.error()));
  if (*engine) {
    auto locked = sqlite::LockedFolder::open(folder);
    if (!locked) return fail(std::move(locked.error()));
    folder_.emplace(std::move(*locked));
    engine_ = std::move(*engine);
    index_ = &engine_->index();
    return {};
  }
  auto index = search::SqliteSearchIndex::open({.folder = folder, .observer = &store_metrics_}, around_.clock);
  if (!index) return fail(std::move(index.error()));
  embedded_ = std::move(*index);
  index_ = embedded_.get();
  return {};
}

Result<> SearchRole::wait_for_engine() {
  return engine_ ? engine_->wait_until_ready(around_.loop) : Result<>();
}

SearchRole::SearchRole(const Settings& settings, Surroundings around)
    : settings_(settings),
      around_(around),
      store_metrics_(around.metrics, "search"),
      limiter_(around.clock),
      store_(*around_.messaging, [this] { return authorization(); }),
      log_(around_.log != nullptr ? *around_.log
                                  : log_elsewhere_.emplace(*around_.messaging, [this] { return authorization(); })),
      index_metrics_(around.metrics),
      changes_(around.random),
      sweeps_(around.loop) {}

std::string SearchRole::authorization() const {
  return auth::internal_authorization(around_.internal_key, "messaging", around_.clock);
}

// The index is fed from the log in this process, or from Kafka.
void SearchRole::follow_log() {
  if (around_.kafka != nullptr) {
    from_kafka_ = std::make_unique<IndexFromKafka>(*around_.kafka, settings_, engine_ != nullptr,
                                                   search::LaneIndexer::Dependencies{.loop = around_.loop,
                                                                                     .index = *index_,
                                                                                     .turn = turn_,
                                                                                     .store = *reindexer_,
                                                                                     .log = log_,
                                                                                     .progress = progress_,
                                                                                     .changes = changes_,
                                                                                     .metrics = index_metrics_,
                                                                                     .clock = around_.clock},
                                                   around_.random, around_.metrics);
    return;
  }
  indexer_.emplace(search::Indexer::Dependencies{.loop = around_.loop,
                                                 .index = *index_,
                                                 .turn = turn_,
                                                 .store = *reindexer_,
                                                 .progress = progress_,
                                                 .changes = changes_,
                                                 .metrics = index_metrics_,
                                                 .clock = around_.clock});
  runner_.emplace(around_.loop, log_, *indexer_, around_.clock,
                  events::ConsumerRunner::Options{.batch_limit = settings_.indexing.batch_size,
                                                  .linger = settings_.indexing.flush_interval});
}

Result<> SearchRole::wait_for_log(std::chrono::seconds patience) {
  if (!log_elsewhere_) return {};
  auto head = app::wait_for_engine("The log of messaging (MESSAGING_SERVICE_URL)", patience, [this] {
    return run_on_loop(around_.loop, log_.head(std::chrono::steady_clock::now() + kLongestAnswer));
  });
  if (!head) return fail(std::move(head.error()));
  return {};
}

void SearchRole::build_service(const MakeMiddleware& make_middleware) {
  if (around_.redis != nullptr) more_health_checks_.push_back(around_.redis->health_check());
  if (engine_) more_health_checks_.push_back(engine_->health_check());
  service_ = search::make_search_service(
      {.index = *index_,
       .recent = *recent_,
       .messaging = *around_.messaging,
       .log = log_,
       .progress = progress_,
       .changes = changes_,
       .reindex = *reindexer_,
       .check = *audit_,
       .limiter = around_.redis != nullptr ? around_.redis->limiter() : limiter_,
       .search_rule = {.limit = static_cast<std::uint32_t>(settings_.rate_limit.searches_per_minute)},
       .service_search_rule = {.limit = static_cast<std::uint32_t>(settings_.rate_limit.service_searches_per_minute)},
       .cursor_secret = cursor_secret(around_.internal_key),
       .clock = around_.clock,
       .metrics = around_.metrics,
       .middleware = make_middleware,
       .more_health_checks = std::move(more_health_checks_),
       .max_body_bytes = settings_.http.max_body_bytes});
}

void SearchRole::start() {
  if (from_kafka_) {
    from_kafka_->start();
  } else {
    runner_->start();
  }
  next_sweep_.emplace(around_.loop, [this] {
    if (!closing_) sweeps_.spawn(sweep_expired_searches());
  });
  next_sweep_->arm(around_.loop.coarse_now());
}

void SearchRole::stop(std::move_only_function<void()> stopped) {
  closing_ = true;
  next_sweep_.reset();
  // The three end in any order; the last one to end closes the indexer, which they use.
  auto left = std::make_shared<int>(3);
  auto last = std::make_shared<std::move_only_function<void()>>(std::move(stopped));
  const auto one_ended = [this, left, last] {
    if (--*left != 0) return;
    if (from_kafka_) {
      from_kafka_->close(std::move(*last));
    } else {
      indexer_->close(std::move(*last));
    }
  };
  reindexer_->close(one_ended);
  if (from_kafka_) {
    from_kafka_->stop(one_ended);
  } else {
    runner_->stop(one_ended);
  }
  sweeps_.drain(one_ended);
}

Task<> SearchRole::sweep_expired_searches() {
  for (bool more = true; more && !closing_;) {
    const auto swept = co_await recent_->sweep(kSweptAtOnce, around_.clock.steady_now() + std::chrono::seconds(10));
    if (!swept) log_warn("erasing expired searches failed", {{"code", swept.error().code}});
    more = swept.value_or(false);
  }
  if (!closing_) next_sweep_->arm(around_.loop.coarse_now() + kSweepEvery);
}

}  // namespace parley::app
