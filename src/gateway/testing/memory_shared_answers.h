// MemorySharedAnswers: SharedAnswers for gateways of one test, in memory, by a clock of the test's. It may be away, and
// a test may do something while it is asked. One thread at a time.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "gateway/shared_answers.h"

namespace parley::gateway::testing {

class MemorySharedAnswers final : public SharedAnswers {
 public:
  explicit MemorySharedAnswers(const Clock& clock) : clock_(clock) {}

  Task<Found> find(std::string key, ChangeNumbers::Standing standing) override {
    ++looks;
    if (away) co_return Away{};
    const SteadyTime now = clock_.steady_now();
    Found found = look(key, standing, now);
    if (while_asked) while_asked();
    co_return found;
  }
  void publish(std::string key, std::string token, SharedAnswer answer, std::chrono::milliseconds ttl) override {
    give_up(key, std::move(token));
    const SteadyTime now = clock_.steady_now();
    const auto kept = kept_.find(key);
    if (away || answer.age >= ttl) return;
    if (kept != kept_.end() && kept->second.ends > now && kept->second.answer.instance == answer.instance &&
        kept->second.answer.number > answer.number) {
      return;
    }
    const SteadyTime asked_at = now - answer.age;
    kept_.insert_or_assign(std::move(key), Kept{std::move(answer), asked_at, asked_at + ttl});
  }
  void give_up(std::string key, std::string token) override {
    const auto lock = locks_.find(key);
    if (!away && lock != locks_.end() && lock->second.token == token) locks_.erase(lock);
  }

  bool away = false;
  int looks = 0;
  std::function<void()> while_asked;

 private:
  struct Kept {
    SharedAnswer answer;
    SteadyTime asked_at;
    SteadyTime ends;
  };
  struct Lock {
    std::string instance;
    std::int64_t number;
    std::string token;
    SteadyTime ends;
  };
  Found look(const std::string& key, const ChangeNumbers::Standing& standing, SteadyTime now) {
    if (const auto kept = kept_.find(key); kept != kept_.end() && kept->second.ends > now &&
                                           standing.allows(kept->second.answer.instance, kept->second.answer.number)) {
      SharedAnswer answer = kept->second.answer;
      answer.age = std::chrono::duration_cast<std::chrono::milliseconds>(now - kept->second.asked_at);
      return answer;
    }
    const auto lock = locks_.find(key);
    if (lock != locks_.end() && lock->second.ends > now &&
        standing.allows(lock->second.instance, lock->second.number)) {
      return Wait{};
    }
    const std::string token = std::to_string(++tokens_);
    locks_.insert_or_assign(key, Lock{standing.instance, standing.heard, token, now + std::chrono::seconds(1)});
    return Lead{token};
  }

  const Clock& clock_;
  std::map<std::string, Kept> kept_;
  std::map<std::string, Lock> locks_;
  int tokens_ = 0;
};

}  // namespace parley::gateway::testing
