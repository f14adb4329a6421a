#include "app/search_role.h"

#include "auth/internal_token.h"
#include "base/sha256.h"
#include "telemetry/log.h"

namespace parley::app {

namespace {

constexpr std::chrono::minutes kSweepEvery{1};
constexpr std::size_t kSweptAtOnce = 500;

// A secret of its own, so that no text that it makes can be taken for one of the key's other uses.
std::string cursor_secret(const Secret& internal_key) {
  const auto digest = sha256("parley search cursors\n" + std::string(internal_key.reveal()));
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

Result<std::unique_ptr<SearchRole>> SearchRole::open(const Settings& settings, Surroundings around) {
  std::unique_ptr<SearchRole> role(new SearchRole(settings, around));
  const std::filesystem::path folder = settings.serve.data_dir / "search";
  auto index = search::SqliteSearchIndex::open({.folder = folder, .observer = &role->store_metrics_}, around.clock);
  if (!index) return fail(std::move(index.error()));
  role->index_ = std::move(*index);
  auto recent = search::SqliteRecentSearches::open(
      {.folder = folder, .life = std::chrono::days(settings.search.recent_searches_days)}, around.clock);
  if (!recent) return fail(std::move(recent.error()));
  role->recent_ = std::move(*recent);

  role->reindexer_.emplace(search::Reindexer::Dependencies{.loop = around.loop,
                                                           .index = *role->index_,
                                                           .store = role->store_,
                                                           .turn = role->turn_,
                                                           .changes = role->changes_,
                                                           .metrics = role->index_metrics_,
                                                           .clock = around.clock,
                                                           .random = around.random},
                           search::Reindexer::Settings{});
  role->indexer_.emplace(search::Indexer::Dependencies{.loop = around.loop,
                                                       .index = *role->index_,
                                                       .turn = role->turn_,
                                                       .store = *role->reindexer_,
                                                       .progress = role->progress_,
                                                       .changes = role->changes_,
                                                       .metrics = role->index_metrics_,
                                                       .clock = around.clock});
  role->audit_.emplace(search::IndexAudit::Dependencies{.index = *role->index_,
                                                        .store = role->store_,
                                                        .log = around.log,
                                                        .progress = role->progress_,
                                                        .reindex = *role->reindexer_,
                                                        .clock = around.clock},
                       search::IndexAudit::Settings{});
  role->runner_.emplace(around.loop, around.log, *role->indexer_, around.clock,
                        events::ConsumerRunner::Options{.batch_limit = settings.indexing.batch_size,
                                                        .linger = settings.indexing.flush_interval});
  return role;
}

SearchRole::SearchRole(const Settings& settings, Surroundings around)
    : settings_(settings),
      around_(around),
      store_metrics_(around.metrics, "search"),
      limiter_(around.clock),
      messaging_("messaging", around.messaging),
      store_(messaging_,
             [this] { return auth::internal_authorization(around_.internal_key, "messaging", around_.clock); }),
      index_metrics_(around.metrics),
      changes_(around.random),
      sweeps_(around.loop) {}

void SearchRole::build_service(const MakeMiddleware& make_middleware) {
  service_ = search::make_search_service(
      {.index = *index_,
       .recent = *recent_,
       .messaging = messaging_,
       .log = around_.log,
       .progress = progress_,
       .changes = changes_,
       .reindex = *reindexer_,
       .check = *audit_,
       .limiter = limiter_,
       .search_rule = {.limit = static_cast<std::uint32_t>(settings_.rate_limit.searches_per_minute)},
       .service_search_rule = {.limit = static_cast<std::uint32_t>(settings_.rate_limit.service_searches_per_minute)},
       .cursor_secret = cursor_secret(around_.internal_key),
       .clock = around_.clock,
       .metrics = around_.metrics,
       .middleware = make_middleware,
       .max_body_bytes = settings_.http.max_body_bytes});
}

void SearchRole::start() {
  runner_->start();
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
    if (--*left == 0) indexer_->close(std::move(*last));
  };
  reindexer_->close(one_ended);
  runner_->stop(one_ended);
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
