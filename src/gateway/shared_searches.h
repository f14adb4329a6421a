// SharedSearches: the second level of the gateway's cache, behind SearchCache: what other gateways found, where this
// one's own knowledge allows it. Asked only for what SearchCache has not, by the one request that leads there. Owned by
// the gateway; any loop. What it cannot answer, for whatever reason, is asked of search as if there were no second
// level.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "gateway/change_numbers.h"
#include "gateway/search_cache.h"
#include "gateway/shared_answers.h"
#include "gateway/tenant_epochs.h"
#include "resilience/timer.h"
#include "telemetry/metrics.h"

namespace parley::gateway {

class SharedSearches {
 public:
  // For another gateway to be answered by search; then this one asks as well.
  static constexpr std::chrono::milliseconds kLongestWait{250};
  static constexpr std::chrono::milliseconds kLookEvery{15};

  // What is passed by reference must outlive this.
  SharedSearches(SharedAnswers& answers, const ChangeNumbers& numbers, const TenantEpochs& epochs,
                 std::chrono::milliseconds ttl, const Clock& clock, Timer& timer, Metrics& metrics);

  // This gateway is to ask search, and then to say what came, or that nothing did. Destroyed without, it says the
  // latter.
  class Question {
   public:
    Question(Question&& other) noexcept = default;
    Question& operator=(Question&&) = delete;
    ~Question();
    // Not with what was found before a change or a write that is known here by now.
    void publish(const CachedAnswer& answer);

   private:
    friend class SharedSearches;
    Question(SharedSearches* searches, std::string key, std::optional<ChangeNumbers::Standing> under,
             std::string token);
    struct Drop {
      void operator()(SharedSearches*) const {}
    };
    std::unique_ptr<SharedSearches, Drop> searches_;  // null once told, or moved from
    std::string key_;
    std::optional<ChangeNumbers::Standing> under_;  // none: nothing is for others
    std::string token_;                             // empty: somebody else asks, too
  };
  // An answer bears this gateway's own epoch, and is good as of that.
  using Found = std::variant<KeptAnswer, Question>;

  Task<Found> find(std::string tenant, std::string key, SteadyTime deadline);

 private:
  KeptAnswer admit(const std::string& tenant, SharedAnswer& answer) const;

  SharedAnswers& answers_;
  const ChangeNumbers& numbers_;
  const TenantEpochs& epochs_;
  const std::chrono::milliseconds ttl_;
  const Clock& clock_;
  Timer& timer_;
  Counter& hits_;
  Counter& misses_;
  Counter& outwaited_;
  Counter& away_;
  Counter& published_;
};

}  // namespace parley::gateway
