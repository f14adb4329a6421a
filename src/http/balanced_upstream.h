// BalancedUpstream: several instances of one role as one Upstream. A call goes to the one with fewer calls under way of
// two that are well, taken at random. What has state in one instance alone (an upload under way) names itself by its
// affinity and goes to the same instance as long as that one is well.
//
// An instance that fails `failures_to_rest` times running rests; the rest doubles each time, and after it one call
// tries it. Failures are those of Upstream::call, and 502, 503 and 504 from a role that does not say that it is well
// (kRoleIsWell). Where all rest, the one whose rest ends first is asked: several instances are never worse than one. A
// call without a body that may be repeated goes on to another instance when one cannot be reached; whatever else may be
// repeated is for the caller to know. Owned by the wiring; any loop; thread-safe.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "http/upstream.h"

namespace parley::http {

struct BalancingOptions {
  unsigned failures_to_rest = 3;  // ≥ 1
  std::chrono::milliseconds first_rest{1'000};
  std::chrono::milliseconds longest_rest{30'000};
  // Requests with the same number go to the same instance; none: to any. Null: none has any.
  std::function<std::optional<std::uint64_t>(const Request&)> affinity;
};

class BalancedUpstream final : public Upstream {
 public:
  // At least one instance, all of the same name.
  BalancedUpstream(std::vector<std::shared_ptr<Upstream>> instances, BalancingOptions options, const Clock& clock,
                   Random& random);

  std::string_view name() const override { return instances_.front()->upstream->name(); }
  Task<Result<Response>> call(Request& request, SteadyTime deadline) override;

  // How many are not resting. Any thread.
  std::size_t well() const;
  std::size_t size() const { return instances_.size(); }

 private:
  struct Instance {
    explicit Instance(std::shared_ptr<Upstream> one) : upstream(std::move(one)) {}
    const std::shared_ptr<Upstream> upstream;
    std::atomic<int> under_way{0};
    mutable std::mutex mutex;  // of what follows, held for a moment
    unsigned failures = 0;     // running
    std::chrono::milliseconds rest{0};
    std::optional<SteadyTime> rests_until;
    bool on_trial = false;  // one call has been let through after the rest, and has not ended
  };
  class UnderWay;
  using Tried = std::vector<bool>;

  // The index of one that has not been tried.
  std::size_t choose(const Request& request, const Tried& tried);
  std::size_t choose_for(std::uint64_t affinity, const std::vector<std::size_t>& from) const;
  std::size_t soonest_back(const Tried& tried) const;
  static bool may_ask(const Instance& instance, SteadyTime now);
  void judge(Instance& instance, const Result<Response>& answer);

  std::vector<std::unique_ptr<Instance>> instances_;
  const BalancingOptions options_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace parley::http
