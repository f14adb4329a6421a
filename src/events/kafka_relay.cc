#include "events/kafka_relay.h"

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace parley::events {

namespace {

// Brokers take a megabyte unless told otherwise.
constexpr std::size_t kMostRecordBytes = 900'000;
constexpr std::chrono::milliseconds kLagShownEvery{1'000};
constexpr std::chrono::milliseconds kAskForLeaseEvery{500};

}  // namespace

KafkaRelay::KafkaRelay(Dependencies with, Options options)
    : with_(with),
      options_(std::move(options)),
      events_(with.metrics.counter("parley_kafka_relay_events_total", "Events published and acknowledged",
                                   {{"topic", options_.topic}})),
      failures_(with.metrics.counter("parley_kafka_relay_failures_total",
                                     "Steps of the relay that failed and come again", {{"topic", options_.topic}})),
      oversized_(
          with.metrics.counter("parley_kafka_relay_oversized_total",
                               "Events that are too large for Kafka and went to the dead letters without content",
                               {{"topic", options_.topic}})),
      lag_(with.metrics.gauge("parley_kafka_relay_lag_events", "Events of the log that are still to be published",
                              {{"topic", options_.topic}})),
      works_(with.metrics.gauge("parley_kafka_relay_works", "1 where this process is the one that publishes",
                                {{"topic", options_.topic}})),
      tasks_(with.loop),
      wake_(std::make_shared<LoopWake>(with.loop)),
      retry_(options_.first_retry) {}

KafkaRelay::~KafkaRelay() = default;

void KafkaRelay::start() {
  subscription_.emplace(with_.log.subscribe([wake = wake_] { LoopWake::ring_from_anywhere(wake); }));
  tasks_.spawn(run());
}

void KafkaRelay::stop(std::move_only_function<void()> stopped) {
  subscription_.reset();
  wake_->stop();
  tasks_.drain(std::move(stopped));
}

Task<> KafkaRelay::run() {
  while (!wake_->stopping) {
    auto done = co_await step();
    if (!done) {
      co_await back_off(done.error());
      continue;
    }
    retry_ = options_.first_retry;
    if (std::exchange(failing_, false)) log_info("the relay to Kafka works again", {{"topic", options_.topic}});
  }
  if (!token_) co_return;
  if (ready_ && saved_ < offset_) (void)co_await save();
  (void)co_await with_.lease.release(step_deadline());
  works_.Set(0);
}

Task<Result<>> KafkaRelay::step() {
  const auto held = co_await hold_lease();
  if (!held) co_return fail(held.error());
  if (!*held) {
    co_await wake_->pause(kAskForLeaseEvery);
    co_return Result<>();
  }
  if (!ready_) {
    if (auto done = co_await take_over(); !done) co_return done;
  }
  auto batch = co_await with_.log.read(offset_, options_.batch_limit, step_deadline());
  if (!batch) co_return fail(std::move(batch.error()));
  if (batch->through > offset_) co_return co_await publish(std::move(*batch));
  co_return co_await rest();
}

Task<Result<bool>> KafkaRelay::hold_lease() {
  if (token_ && now() < renew_at_) co_return true;
  auto token = co_await with_.lease.hold(step_deadline());
  if (!token) co_return fail(std::move(token.error()));
  if (*token != token_) {
    ready_ = false;
    log_info(*token ? "this process relays the log to Kafka" : "another process relays the log to Kafka",
             {{"topic", options_.topic}});
  }
  token_ = *token;
  renew_at_ = now() + with_.lease.renew_every();
  works_.Set(token_ ? 1 : 0);
  co_return token_.has_value();
}

// What another process published meanwhile is in the log's offset.
Task<Result<>> KafkaRelay::take_over() {
  if (auto done = co_await with_.publisher.take_over(step_deadline()); !done) co_return done;
  auto count = co_await with_.publisher.partitions(options_.topic, step_deadline());
  if (!count) co_return fail(std::move(count.error()));
  partitions_ = *count;
  count_at_ = now() + options_.count_partitions_every;
  auto offset = co_await with_.log.load_offset(kConsumer, step_deadline());
  if (!offset) co_return fail(std::move(offset.error()));
  const auto tail = co_await with_.log.tail(step_deadline());
  if (!tail) co_return fail(tail.error());
  const auto head = co_await with_.log.head(step_deadline());
  if (!head) co_return fail(head.error());
  using Gap = Watermark::Gap;
  const Gap gap = *offset > *head ? Gap::kRestarted : *offset < *tail ? Gap::kSkipped : Gap::kNone;
  if (gap != Gap::kNone) {
    log_warn("the event log does not go on where Kafka's topic ends: readers build anew from the store",
             {{"topic", options_.topic}, {"published", offset->value}, {"tail", tail->value}, {"head", head->value}});
  }
  // An offset goes back only by being forgotten.
  if (gap == Gap::kRestarted) {
    if (auto done = co_await with_.log.forget_consumer(kConsumer, step_deadline()); !done) co_return done;
  }
  offset_ = gap == Gap::kRestarted ? *head : std::max(*offset, *tail);
  saved_ = {};
  std::vector<kafka::OutRecord> records;
  add_watermarks(records, gap);
  if (auto done = co_await with_.publisher.publish(std::move(records), step_deadline()); !done) co_return done;
  marked_ = offset_;
  mark_at_ = now() + options_.watermark_every;
  // From here on the log keeps for us what is still to come.
  if (auto done = co_await save(); !done) co_return done;
  published_.store(offset_.value, std::memory_order_relaxed);
  ready_ = true;
  co_return Result<>();
}

Task<Result<>> KafkaRelay::publish(EventBatch batch) {
  if (now() >= count_at_) {
    auto count = co_await with_.publisher.partitions(options_.topic, step_deadline());
    if (!count) co_return fail(std::move(count.error()));
    partitions_ = *count;
    count_at_ = now() + options_.count_partitions_every;
  }
  std::vector<kafka::OutRecord> records;
  add_events(records, batch.events);
  const LogOffset before = std::exchange(offset_, batch.through);
  const bool marks = now() >= mark_at_;
  if (marks) add_watermarks(records);
  if (!records.empty()) {
    if (auto done = co_await with_.publisher.publish(std::move(records), step_deadline()); !done) {
      offset_ = before;
      ready_ = false;
      co_return done;
    }
  }
  published_.store(offset_.value, std::memory_order_relaxed);
  events_.Increment(static_cast<double>(batch.events.size()));
  if (marks) {
    marked_ = offset_;
    mark_at_ = now() + options_.watermark_every;
  }
  co_await show_lag();
  if (now() >= save_at_) co_return co_await save();
  co_return Result<>();
}

// There is nothing to publish now; what was put off is done once its time has come.
Task<Result<>> KafkaRelay::rest() {
  lag_.Set(0);
  if (marked_ < offset_ && now() >= mark_at_) {
    std::vector<kafka::OutRecord> records;
    add_watermarks(records);
    if (auto done = co_await with_.publisher.publish(std::move(records), step_deadline()); !done) {
      ready_ = false;
      co_return done;
    }
    marked_ = offset_;
    mark_at_ = now() + options_.watermark_every;
  }
  if (saved_ < offset_ && now() >= save_at_) {
    if (auto done = co_await save(); !done) co_return done;
  }
  SteadyTime next = now() + options_.idle_poll;
  if (marked_ < offset_) next = std::min(next, mark_at_);
  if (saved_ < offset_) next = std::min(next, save_at_);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now());
  if (left.count() > 0) co_await wake_->wait(left);
  co_return Result<>();
}

Task<Result<>> KafkaRelay::save() {
  const LogOffset offset = offset_;
  save_at_ = now() + options_.save_every;
  auto saved = co_await with_.log.save_offset(kConsumer, offset, step_deadline());
  if (!saved) co_return saved;
  saved_ = offset;
  co_return Result<>();
}

Task<> KafkaRelay::show_lag() {
  if (now() < lag_at_) co_return;
  lag_at_ = now() + kLagShownEvery;
  const auto head = co_await with_.log.head(step_deadline());
  if (head) lag_.Set(static_cast<double>(std::max<std::int64_t>(0, head->value - offset_.value)));
}

Task<> KafkaRelay::back_off(const Error& error) {
  failures_.Increment();
  const LogField fields[] = {{"topic", options_.topic}, {"code", error.code}, {"error", error.detail}};
  if (error.code == kafka::kFenced) {
    // Whoever fenced us has the lease, or will see that we do.
    ready_ = false;
    renew_at_ = {};
  }
  if (!std::exchange(failing_, true)) {
    log_warn("the relay to Kafka fails; it is tried again until it works", {fields[0], fields[1], fields[2]});
  }
  co_await show_lag();
  co_await wake_->pause(retry_);
  retry_ = std::min(retry_ * 2, options_.last_retry);
}

void KafkaRelay::add_events(std::vector<kafka::OutRecord>& records, const std::vector<Event>& events) {
  records.reserve(events.size() + static_cast<std::size_t>(partitions_));
  for (const Event& event : events) {
    kafka::OutRecord record = record_of(event, options_.topic, options_.source);
    if (record.value.size() > kMostRecordBytes) {
      oversized_.Increment();
      log_error("an event is too large for Kafka", {{"event", event.id.value}, {"type", event.type}});
      Event without = event;
      without.data = "{}";
      records.push_back(dead_letter_of(without, options_.topic, "the event is too large"));
      continue;
    }
    if (event.scope == EventScope::kUser && !options_.users_topic.empty()) {
      kafka::OutRecord again = record;
      again.topic = options_.users_topic;
      records.push_back(std::move(again));
    }
    records.push_back(std::move(record));
  }
}

void KafkaRelay::add_watermarks(std::vector<kafka::OutRecord>& records, Watermark::Gap gap) const {
  for (std::int32_t partition = 0; partition < partitions_; ++partition) {
    records.push_back(record_of(Watermark{.through = offset_, .partitions = partitions_, .gap = gap}, options_.topic,
                                partition, options_.source, with_.clock.wall_now()));
  }
}

}  // namespace parley::events
