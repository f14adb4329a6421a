#include "http/balanced_upstream.h"

#include <algorithm>

#include "base/check.h"

namespace parley::http {

namespace {

// Our own limit on connections says nothing of the instance.
bool is_own_limit(const Error& error) {
  return error.code == "upstream_busy";
}

// The client's body failed, or the like: nobody's fault here.
bool counts_for_nothing(const Result<Response>& answer) {
  if (answer) return false;
  const ErrorKind kind = answer.error().kind;
  return is_own_limit(answer.error()) || (kind != ErrorKind::kUnavailable && kind != ErrorKind::kTimeout);
}

bool is_failure(const Result<Response>& answer) {
  if (!answer) return true;
  const int status = answer->status;
  return (status == 502 || status == 503 || status == 504) && !answer->headers.find(kRoleIsWell);
}

// Nothing was done by an instance that could not be reached, as far as a repeatable request cares.
bool may_go_elsewhere(const Request& request, const Result<Response>& answer) {
  if (answer || answer.error().kind != ErrorKind::kUnavailable) return false;
  const bool bodiless = request.body == nullptr || request.body->size() == std::optional<std::uint64_t>(0);
  return bodiless && is_idempotent(request.method);
}

// Of `affinity` and an instance's place: the instance with the highest has it, and the others keep theirs when one goes
// (rendezvous hashing; the mixing is SplitMix64's, Steele and others 2014).
std::uint64_t weight(std::uint64_t affinity, std::size_t instance) {
  std::uint64_t x = affinity + (instance + 1) * 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

// One call under way, however it ends: its coroutine may be destroyed.
class BalancedUpstream::UnderWay {
 public:
  explicit UnderWay(Instance& instance) : instance_(instance) {
    instance_.under_way.fetch_add(1, std::memory_order_relaxed);
    const std::scoped_lock lock(instance_.mutex);
    instance_.on_trial = instance_.rests_until.has_value();
  }
  ~UnderWay() {
    instance_.under_way.fetch_sub(1, std::memory_order_relaxed);
    const std::scoped_lock lock(instance_.mutex);
    instance_.on_trial = false;
  }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  Instance& instance_;
};

BalancedUpstream::BalancedUpstream(std::vector<std::shared_ptr<Upstream>> instances, BalancingOptions options,
                                   const Clock& clock, Random& random)
    : options_(std::move(options)), clock_(clock), random_(random) {
  CHECK(!instances.empty() && options_.failures_to_rest > 0);
  for (auto& one : instances) instances_.push_back(std::make_unique<Instance>(std::move(one)));
}

Task<Result<Response>> BalancedUpstream::call(Request& request, SteadyTime deadline) {
  Tried tried(instances_.size(), false);
  for (std::size_t left = instances_.size();; --left) {
    const std::size_t chosen = choose(request, tried);
    tried[chosen] = true;
    Instance& instance = *instances_[chosen];
    const UnderWay counted(instance);
    Result<Response> answer = co_await instance.upstream->call(request, deadline);
    judge(instance, answer);
    if (left == 1 || !may_go_elsewhere(request, answer) || clock_.steady_now() >= deadline) co_return answer;
  }
}

std::size_t BalancedUpstream::choose(const Request& request, const Tried& tried) {
  const SteadyTime now = clock_.steady_now();
  std::vector<std::size_t> well;
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    if (!tried[i] && may_ask(*instances_[i], now)) well.push_back(i);
  }
  if (well.empty()) return soonest_back(tried);
  if (options_.affinity) {
    if (const auto affinity = options_.affinity(request)) return choose_for(*affinity, well);
  }
  const std::size_t a = well[random_.below(well.size())], b = well[random_.below(well.size())];
  const auto load = [this](std::size_t i) { return instances_[i]->under_way.load(std::memory_order_relaxed); };
  return load(b) < load(a) ? b : a;
}

std::size_t BalancedUpstream::choose_for(std::uint64_t affinity, const std::vector<std::size_t>& from) const {
  return *std::ranges::max_element(from, {}, [affinity](std::size_t i) { return weight(affinity, i); });
}

std::size_t BalancedUpstream::soonest_back(const Tried& tried) const {
  std::optional<std::size_t> best;
  SteadyTime best_until = SteadyTime::max();
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    if (tried[i]) continue;
    const std::scoped_lock lock(instances_[i]->mutex);
    const SteadyTime until = instances_[i]->rests_until.value_or(SteadyTime::min());
    if (!best || until < best_until) {
      best = i;
      best_until = until;
    }
  }
  CHECK(best.has_value());
  return *best;
}

bool BalancedUpstream::may_ask(const Instance& instance, SteadyTime now) {
  const std::scoped_lock lock(instance.mutex);
  return !instance.rests_until || (now >= *instance.rests_until && !instance.on_trial);
}

void BalancedUpstream::judge(Instance& instance, const Result<Response>& answer) {
  const std::scoped_lock lock(instance.mutex);
  if (counts_for_nothing(answer)) return;
  if (!is_failure(answer)) {
    instance.failures = 0;
    instance.rest = {};
    instance.rests_until.reset();
    return;
  }
  ++instance.failures;
  if (instance.failures < options_.failures_to_rest && !instance.rests_until) return;
  const SteadyTime now = clock_.steady_now();
  if (instance.rests_until && now < *instance.rests_until) return;  // one that had been under way before
  instance.rest = instance.rest.count() == 0 ? options_.first_rest : std::min(instance.rest * 2, options_.longest_rest);
  instance.rests_until = now + instance.rest;
}

std::size_t BalancedUpstream::well() const {
  const SteadyTime now = clock_.steady_now();
  return static_cast<std::size_t>(std::ranges::count_if(instances_, [now](const auto& instance) {
    const std::scoped_lock lock(instance->mutex);
    return !instance->rests_until || now >= *instance->rests_until;
  }));
}

}  // namespace parley::http
