#include "gateway/shared_searches.h"

#include <algorithm>

#include "resilience/deadline.h"

namespace parley::gateway {

namespace {

Counter& looks(Metrics& metrics, const char* result) {
  return metrics.counter("parley_gateway_shared_searches_total",
                         "Looks for other gateways' answers: hit, miss (search was asked), outwaited (another gateway "
                         "asked for too long), away (nothing could be looked up).",
                         {{"result", result}});
}

}  // namespace

SharedSearches::SharedSearches(SharedAnswers& answers, const ChangeNumbers& numbers, const TenantEpochs& epochs,
                               std::chrono::milliseconds ttl, const Clock& clock, Timer& timer, Metrics& metrics)
    : answers_(answers),
      numbers_(numbers),
      epochs_(epochs),
      ttl_(ttl),
      clock_(clock),
      timer_(timer),
      hits_(looks(metrics, "hit")),
      misses_(looks(metrics, "miss")),
      outwaited_(looks(metrics, "outwaited")),
      away_(looks(metrics, "away")),
      published_(metrics.counter("parley_gateway_shared_searches_published_total",
                                 "Answers that were left for other gateways.")) {}

Task<SharedSearches::Found> SharedSearches::find(std::string tenant, std::string key, SteadyTime deadline) {
  const SteadyTime until = attempt_deadline(clock_.steady_now(), deadline, kLongestWait);
  for (;;) {
    // Before search is asked: all changes up to its number are then in the answer.
    std::optional<ChangeNumbers::Standing> standing = numbers_.current(tenant);
    if (!standing) co_return Question(this, {}, std::nullopt, {});
    SharedAnswers::Found found = co_await answers_.find(key, *standing);
    if (auto* const answer = std::get_if<SharedAnswer>(&found)) {
      if (KeptAnswer admitted = admit(tenant, *answer)) {
        hits_.Increment();
        co_return admitted;
      }
      // Something changed while it came. What is asked now is asked after that.
      misses_.Increment();
      co_return Question(this, std::move(key), numbers_.current(tenant), {});
    }
    if (auto* const lead = std::get_if<SharedAnswers::Lead>(&found)) {
      misses_.Increment();
      co_return Question(this, std::move(key), std::move(standing), std::move(lead->token));
    }
    if (std::holds_alternative<SharedAnswers::Away>(found)) {
      away_.Increment();
      co_return Question(this, {}, std::nullopt, {});
    }
    const SteadyTime now = clock_.steady_now();
    if (now >= until) {
      outwaited_.Increment();
      co_return Question(this, std::move(key), std::move(standing), {});
    }
    co_await timer_.wait_until(std::min(now + kLookEvery, until));
  }
}

// What is known now counts, not what was when the store was asked. The epoch is read first: a change that comes in
// between moves it, and who looks then finds the answer to be from before it.
KeptAnswer SharedSearches::admit(const std::string& tenant, SharedAnswer& answer) const {
  const SteadyTime now = clock_.steady_now();
  const auto epoch = epochs_.current(tenant, now);
  const auto standing = numbers_.current(tenant);
  if (!epoch || !epoch->settled || !standing || !standing->allows(answer.instance, answer.number)) return nullptr;
  auto kept = std::make_shared<CachedAnswer>();
  kept->body = std::move(answer.body);
  kept->content_type = std::move(answer.content_type);
  kept->cache_control = std::move(answer.cache_control);
  kept->epoch = epoch->epoch;
  kept->asked_at = now - answer.age;
  return kept;
}

SharedSearches::Question::Question(SharedSearches* searches, std::string key,
                                   std::optional<ChangeNumbers::Standing> under, std::string token)
    : searches_(searches), key_(std::move(key)), under_(std::move(under)), token_(std::move(token)) {}

SharedSearches::Question::~Question() {
  if (searches_ && !token_.empty()) searches_->answers_.give_up(std::move(key_), std::move(token_));
}

void SharedSearches::Question::publish(const CachedAnswer& answer) {
  if (!under_) return;
  SharedSearches& searches = *searches_.release();
  const auto age = searches.clock_.steady_now() - answer.asked_at;
  searches.published_.Increment();
  searches.answers_.publish(std::move(key_), std::move(token_),
                            {.body = answer.body,
                             .content_type = answer.content_type,
                             .cache_control = answer.cache_control,
                             .instance = std::move(under_->instance),
                             .number = under_->heard,
                             .age = std::chrono::ceil<std::chrono::milliseconds>(age)},
                            searches.ttl_);
}

}  // namespace parley::gateway
