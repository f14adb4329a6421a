#include "gateway/search_proxy.h"

#include "http/problem.h"
#include "tenancy/caller.h"

namespace parley::gateway {

namespace {

Counter& requests(Metrics& metrics, const char* result) {
  return metrics.counter("parley_gateway_search_cache_requests_total",
                         "Searches by what became of them: hit, shared (waited for the same question), elsewhere "
                         "(another gateway had the answer), miss, bypass (not for a cache), unheard (search does not "
                         "tell of its changes).",
                         {{"result", result}});
}

http::Response problem(const http::Exchange& exchange, ErrorKind kind, std::string code, std::string detail) {
  return http::problem_response({kind, std::move(code), std::move(detail), {}, {}}, exchange.request_id);
}

// Whether search puts the query among the user's recent ones, when it answers.
bool is_recorded(const SearchKey& key) {
  return !key.q.empty() && !key.continues;
}

// Whether `response` is one to keep: a 200, all of it here afterwards. One whose rest fails becomes the problem that
// the caller is to see, for nothing of it has been passed on.
Task<bool> take_whole(http::Response& response, const http::Exchange& exchange, std::size_t largest) {
  if (response.status != 200) co_return false;
  if (!response.stream) co_return response.body.size() <= largest;
  const std::optional<std::uint64_t> size = response.stream->size();
  if (!size || *size > largest) co_return false;
  Result<std::string> whole = co_await http::read_all(*response.stream, largest);
  response.stream.reset();
  if (whole) {
    response.body = std::move(*whole);
    co_return true;
  }
  auto on_sent = std::move(response.on_sent);
  response = problem(exchange, ErrorKind::kUnavailable, "upstream_unavailable",
                     "search could not be reached; try again shortly.");
  response.on_sent = std::move(on_sent);
  co_return false;
}

}  // namespace

SearchProxy::SearchProxy(Proxy& proxy, SearchCache& cache, const TenantEpochs& epochs, RecentRecorder& recent,
                         const Clock& clock, Metrics& metrics, SharedSearches* others)
    : proxy_(proxy),
      cache_(cache),
      epochs_(epochs),
      recent_(recent),
      others_(others),
      clock_(clock),
      hits_(requests(metrics, "hit")),
      shared_(requests(metrics, "shared")),
      elsewhere_(requests(metrics, "elsewhere")),
      misses_(requests(metrics, "miss")),
      bypassed_(requests(metrics, "bypass")),
      unheard_(requests(metrics, "unheard")) {}

Task<http::Response> SearchProxy::search(http::Exchange& exchange) {
  std::optional<SearchKey> key;
  if (exchange.caller) key = search_key(*exchange.caller, exchange.request);
  if (!key) {
    bypassed_.Increment();
    co_return co_await ask(exchange, nullptr);
  }
  const SteadyTime now = clock_.steady_now();
  // Before the question: what changes while it is under way then has a later epoch than its answer.
  const std::optional<TenantEpochs::Standing> standing = epochs_.current(exchange.caller->tenant.value, now);
  if (!standing) {
    unheard_.Increment();
    co_return co_await ask(exchange, &*key);
  }
  SearchCache::Found found = cache_.find(key->text, standing->epoch, now);
  if (const KeptAnswer* const kept = std::get_if<KeptAnswer>(&found)) {
    hits_.Increment();
    note(exchange, *key, now);
    co_return give(**kept);
  }
  if (auto* const answer = std::get_if<OneShotFuture<KeptAnswer>>(&found)) {
    co_return co_await wait(exchange, *key, std::move(*answer));
  }
  if (auto* const lead = std::get_if<SearchCache::Lead>(&found)) {
    co_return co_await ask_for_all(exchange, *key, std::move(*lead), *standing, now);
  }
  misses_.Increment();
  co_return co_await ask(exchange, &*key);
}

Task<http::Response> SearchProxy::ask(http::Exchange& exchange, const SearchKey* key) {
  http::Response response = co_await proxy_.forward(exchange, PathMapping::kStripVersion, false);
  if (exchange.caller) {
    if (key != nullptr && is_recorded(*key) && response.status == 200) {
      told_.told(*exchange.caller, key->q, clock_.steady_now());
    } else {
      told_.forget(*exchange.caller);  // it may have been another query, and search may have put it first
    }
  }
  response.headers.set("X-Cache", "miss");
  co_return response;
}

Task<http::Response> SearchProxy::ask_for_all(http::Exchange& exchange, const SearchKey& key, SearchCache::Lead lead,
                                              TenantEpochs::Standing standing, SteadyTime asked_at) {
  std::optional<SharedSearches::Question> question;
  if (others_ != nullptr) {
    SharedSearches::Found found = co_await others_->find(exchange.caller->tenant.value, key.text, exchange.deadline);
    if (const KeptAnswer* const kept = std::get_if<KeptAnswer>(&found)) {
      elsewhere_.Increment();
      lead.publish(*kept, true);
      note(exchange, key, clock_.steady_now());
      co_return give(**kept);
    }
    question.emplace(std::move(std::get<SharedSearches::Question>(found)));
  }
  misses_.Increment();
  http::Response response = co_await ask(exchange, &key);
  if (co_await take_whole(response, exchange, cache_.largest_answer())) {
    auto answer = std::make_shared<CachedAnswer>();
    answer->body = response.body;
    answer->content_type = response.headers.find("Content-Type").value_or("application/json");
    answer->cache_control = response.headers.find("Cache-Control").value_or("");
    answer->epoch = standing.epoch;
    answer->asked_at = asked_at;
    // Those who wait came before any change that was heard since; those to come want one from after it.
    const auto now = epochs_.current(exchange.caller->tenant.value, clock_.steady_now());
    const bool keep = standing.settled && now && now->epoch == standing.epoch;
    if (keep && question) question->publish(*answer);
    lead.publish(std::move(answer), keep);
  }
  response.headers.set("X-Cache", "miss");
  co_return response;
}

Task<http::Response> SearchProxy::wait(http::Exchange& exchange, const SearchKey& key,
                                       OneShotFuture<KeptAnswer> answer) {
  const Result<KeptAnswer> came = co_await answer.wait(exchange.deadline);
  if (came) {
    shared_.Increment();
    co_return give(**came);
  }
  misses_.Increment();
  if (came.error().kind == ErrorKind::kTimeout) {
    http::Response late = problem(exchange, ErrorKind::kTimeout, "deadline_exceeded", "search did not answer in time.");
    late.headers.set("X-Cache", "miss");
    co_return late;
  }
  // The one who asked got no answer to share: this one asks for itself, and for nobody else.
  co_return co_await ask(exchange, &key);
}

http::Response SearchProxy::give(const CachedAnswer& answer) const {
  http::Response response = http::text_response(200, answer.content_type, answer.body);
  if (!answer.cache_control.empty()) response.headers.add("Cache-Control", answer.cache_control);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady_now() - answer.asked_at);
  response.headers.add("X-Cache", "hit");
  response.headers.add("Age", std::to_string(std::max<std::chrono::seconds::rep>(age.count(), 0)));
  return response;
}

void SearchProxy::note(const http::Exchange& exchange, const SearchKey& key, SteadyTime now) {
  if (is_recorded(key) && told_.should_tell(*exchange.caller, key.q, now)) recent_.record(exchange, key.q);
}

Task<http::Response> SearchProxy::clear_recent(http::Exchange& exchange) {
  http::Response response = co_await proxy_.forward(exchange, PathMapping::kStripVersion, false);
  if (exchange.caller) told_.forget(*exchange.caller);
  co_return response;
}

}  // namespace parley::gateway
