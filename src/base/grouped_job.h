// GroupedJob: a piece of work that a writer's thread runs together with others in one transaction, maybe more than
// once, and whose result goes back to the loop that asked. The writers of the drivers share it; Context is what the
// work acts on (a connection, a transaction).
#pragma once
#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/one_shot.h"
#include "base/result.h"

namespace parley {

template <class Context>
struct GroupedJob {
  virtual ~GroupedJob() = default;
  virtual bool run(Context& context) = 0;       // keeps the result; false when it is a failure
  virtual void refuse(const Error& error) = 0;  // replaces the result
  virtual EventLoop& loop() const = 0;
  virtual std::move_only_function<void()> delivery() = 0;
  SteadyTime deadline{};
};

template <class Context, class T>
struct TypedGroupedJob final : GroupedJob<Context> {
  TypedGroupedJob(std::move_only_function<Result<T>(Context&)> work_in, OneShotPromise<T> promise_in)
      : work(std::move(work_in)), promise(std::move(promise_in)) {}
  bool run(Context& context) override {
    result.emplace(work(context));
    return result->has_value();
  }
  void refuse(const Error& error) override { result.emplace(std::unexpected(error)); }
  EventLoop& loop() const override { return promise.loop(); }
  std::move_only_function<void()> delivery() override { return promise.delivery(std::move(*result)); }

  std::move_only_function<Result<T>(Context&)> work;
  OneShotPromise<T> promise;
  std::optional<Result<T>> result;
};

// Each has a result. One post a loop, however many of the jobs are its own.
template <class Context>
void deliver_all(std::vector<std::unique_ptr<GroupedJob<Context>>>& jobs) {
  std::vector<std::pair<EventLoop*, std::vector<std::move_only_function<void()>>>> by_loop;
  for (auto& job : jobs) {
    EventLoop* const loop = &job->loop();
    auto at = std::ranges::find(by_loop, loop, [](const auto& entry) { return entry.first; });
    if (at == by_loop.end()) {
      by_loop.emplace_back(loop, std::vector<std::move_only_function<void()>>());
      at = std::prev(by_loop.end());
    }
    at->second.push_back(job->delivery());
  }
  for (auto& [loop, deliveries] : by_loop) {
    loop->post([all = std::move(deliveries)]() mutable {
      for (auto& one : all) one();
    });
  }
}

}  // namespace parley
