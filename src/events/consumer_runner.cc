#include "events/consumer_runner.h"

#include <algorithm>
#include <iterator>

#include "telemetry/log.h"

namespace parley::events {

namespace {
// Commits wake the run; this is only the longest it goes without looking.
constexpr std::chrono::milliseconds kIdlePoll{5'000};
// How often a linger looks whether the batch is full by now: each commit rings, and a look for each would cost more
// than it finds.
constexpr std::chrono::milliseconds kLookInLinger{10};
}  // namespace

Task<Result<LogOffset>> EventConsumer::load_offset(EventLog& log, SteadyTime deadline) {
  return log.load_offset(name(), deadline);
}

Task<Result<>> EventConsumer::save_offset(EventLog& log, LogOffset offset, SteadyTime deadline) {
  return log.save_offset(name(), offset, deadline);
}

ConsumerRunner::ConsumerRunner(EventLoop& loop, EventLog& log, EventConsumer& consumer, const Clock& clock,
                               Options options)
    : log_(log),
      consumer_(consumer),
      clock_(clock),
      options_(options),
      tasks_(loop),
      wake_(std::make_shared<LoopWake>(loop)) {}

ConsumerRunner::~ConsumerRunner() = default;

void ConsumerRunner::start() {
  subscription_.emplace(log_.subscribe([wake = wake_] { LoopWake::ring_from_anywhere(wake); }));
  tasks_.spawn(run());
}

void ConsumerRunner::stop(std::move_only_function<void()> stopped) {
  subscription_.reset();
  wake_->stop();
  tasks_.drain(std::move(stopped));
}

SteadyTime ConsumerRunner::step_deadline() const {
  return clock_.steady_now() + options_.step_timeout;
}

Task<> ConsumerRunner::run() {
  while (!wake_->stopping) {
    auto loaded = co_await consumer_.load_offset(log_, step_deadline());
    if (loaded) {
      offset_ = *loaded;
      delivered_.store(offset_.value, std::memory_order_relaxed);
      break;
    }
    log_warn("a consumer cannot load its offset", {{"consumer", consumer_.name()}, {"error", loaded.error().detail}});
    co_await wake_->pause(options_.retry_after);
  }
  while (!wake_->stopping) {
    if (!co_await step()) co_await wake_->pause(options_.retry_after);
  }
}

// What there is after the offset; where that is something and no whole batch, what else comes within the linger too.
Task<Result<EventBatch>> ConsumerRunner::read_batch() {
  auto batch = co_await log_.read(offset_, options_.batch_limit, step_deadline());
  if (!batch || batch->events.empty() || options_.linger.count() == 0) co_return batch;
  const SteadyTime end = std::chrono::steady_clock::now() + options_.linger;
  while (batch->events.size() < options_.batch_limit && !wake_->stopping && std::chrono::steady_clock::now() < end) {
    co_await wake_->pause(std::min(options_.linger, kLookInLinger));
    if (!wake_->rung) continue;  // nothing was committed since
    wake_->rung = false;
    auto more = co_await log_.read(batch->through, options_.batch_limit - batch->events.size(), step_deadline());
    if (!more) break;  // what is read is delivered; the next read tells what is wrong
    std::ranges::move(more->events, std::back_inserter(batch->events));
    batch->through = more->through;
  }
  co_return batch;
}

// False when it failed and is to be tried again after a pause.
Task<bool> ConsumerRunner::step() {
  auto batch = co_await read_batch();
  if (!batch) {
    log_warn("a consumer cannot read the event log", {{"consumer", consumer_.name()}, {"error", batch.error().detail}});
    co_return false;
  }
  if (batch->events.empty()) {
    co_await wake_->wait(kIdlePoll);
    co_return true;
  }
  const LogOffset through = batch->through;
  auto taken = co_await consumer_.deliver(std::move(batch->events), step_deadline());
  if (!taken) {
    log_warn("a consumer did not take its events", {{"consumer", consumer_.name()}, {"error", taken.error().detail}});
    co_return false;
  }
  auto saved = co_await consumer_.save_offset(log_, through, step_deadline());
  if (!saved) {
    log_warn("a consumer cannot save its offset", {{"consumer", consumer_.name()}, {"error", saved.error().detail}});
    co_return false;
  }
  offset_ = through;
  delivered_.store(offset_.value, std::memory_order_relaxed);
  co_return true;
}

}  // namespace parley::events
