#include "events/kafka_event_stream.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

#include "events/kafka_records.h"
#include "telemetry/log.h"

namespace parley::events {

namespace {

constexpr std::chrono::milliseconds kLongestPoll{100};
constexpr std::chrono::milliseconds kShortestPoll{1};
constexpr std::chrono::milliseconds kBoundsPatience{5'000};

}  // namespace

// What the reader's thread and the loop both see. The loop's part of it is touched there alone.
struct KafkaEventStream::Shared {
  Shared(Dependencies dependencies, Options made)
      : with(std::move(dependencies)),
        options(std::move(made)),
        records(with.metrics.counter("parley_kafka_stream_records_total", "Records read from the topic",
                                     {{"topic", options.topic}})),
        failures(with.metrics.counter("parley_kafka_stream_failures_total",
                                      "Batches that were not taken and come again, and polls that failed",
                                      {{"topic", options.topic}})),
        letters(with.metrics.counter("parley_kafka_dead_letters_total", "Records sent to the topic's dead letters",
                                     {{"topic", options.topic}})),
        lanes(with.metrics.gauge("parley_kafka_stream_lanes", "Partitions that this process reads",
                                 {{"topic", options.topic}})),
        tasks(with.loop),
        wake(std::make_shared<LoopWake>(with.loop)) {}

  SteadyTime step_deadline() const { return with.clock.steady_now() + options.step_timeout; }

  const Dependencies with;
  const Options options;
  Counter& records;
  Counter& failures;
  Counter& letters;
  Gauge& lanes;

  // Of the loop.
  TaskGroup tasks;
  std::shared_ptr<LoopWake> wake;
  bool letters_ready = false;
  std::move_only_function<void()> stopped;

  std::atomic<bool> stopping{false};
  std::mutex mutex;  // of what Batch and Question hold of the outcome
  std::condition_variable settled;
};

// A delivery on its way, and what came of it.
struct KafkaEventStream::Batch {
  LaneDelivery delivery;
  std::vector<kafka::OutRecord> dead;  // no events
  std::size_t records = 0;
  std::atomic<bool> abandoned{false};  // its lanes are no longer ours: no further try
  bool done = false;
  bool taken = false;
};

// Where to go on in lanes that are ours.
struct KafkaEventStream::Question {
  std::vector<std::int32_t> ours;
  std::vector<LaneBounds> all;
  bool done = false;
  Result<std::vector<LaneStart>> starts;
};

// --- on the loop ----------------------------------------------------------------------------------------------------

Task<> KafkaEventStream::answer(std::shared_ptr<Shared> shared, std::shared_ptr<Question> question) {
  auto starts = co_await shared->with.consumer.begin(question->ours, question->all, shared->step_deadline());
  const std::lock_guard lock(shared->mutex);
  question->starts = std::move(starts);
  question->done = true;
  shared->settled.notify_all();
}

Task<> KafkaEventStream::deliver(std::shared_ptr<Shared> shared, std::shared_ptr<Batch> batch) {
  std::chrono::milliseconds retry = shared->options.first_retry;
  bool taken = false;
  while (!taken && !batch->abandoned && !shared->stopping) {
    auto done = co_await try_to_deliver(shared, batch);
    taken = done.has_value();
    if (taken) break;
    shared->failures.Increment();
    log_warn("events from Kafka were not taken; they come again",
             {{"topic", shared->options.topic}, {"code", done.error().code}, {"error", done.error().detail}});
    if (!batch->abandoned) co_await shared->wake->pause(retry);
    retry = std::min(retry * 2, shared->options.last_retry);
  }
  const std::lock_guard lock(shared->mutex);
  batch->taken = taken;
  batch->done = true;
  shared->settled.notify_all();
}

Task<Result<>> KafkaEventStream::try_to_deliver(std::shared_ptr<Shared> shared, std::shared_ptr<Batch> batch) {
  auto refused = co_await shared->with.consumer.deliver(batch->delivery, shared->step_deadline());
  if (!refused) co_return fail(std::move(refused.error()));
  std::vector<kafka::OutRecord> letters = batch->dead;
  for (const RefusedEvent& event : *refused) {
    letters.push_back(dead_letter_of(event.event, shared->options.topic, event.reason));
  }
  if (letters.empty()) co_return Result<>();
  if (!shared->letters_ready) {
    if (auto ready = co_await shared->with.dead_letters.take_over(shared->step_deadline()); !ready) co_return ready;
    shared->letters_ready = true;
  }
  const auto count = static_cast<double>(letters.size());
  auto sent = co_await shared->with.dead_letters.publish(std::move(letters), shared->step_deadline());
  if (!sent) {
    shared->letters_ready = false;
    co_return sent;
  }
  shared->letters.Increment(count);
  co_return Result<>();
}

// --- the reader's thread --------------------------------------------------------------------------------------------

class KafkaEventStream::Reader {
 public:
  explicit Reader(std::shared_ptr<Shared> shared) : shared_(std::move(shared)), options_(shared_->options) {}

  void run() {
    while (!shared_->stopping) {
      if (auto done = step(); !done) {
        shared_->failures.Increment();
        log_warn("reading from Kafka failed; it is tried again",
                 {{"topic", options_.topic}, {"code", done.error().code}, {"error", done.error().detail}});
        wait_for([this] { return shared_->stopping.load(); }, options_.first_retry);
      }
    }
    finish_under_way(options_.step_timeout);
    source_.reset();
  }

 private:
  using Clock = std::chrono::steady_clock;

  Result<> step() {
    if (!source_) {
      auto source = shared_->with.make_source();
      if (!source) return fail(std::move(source.error()));
      source_ = std::move(*source);
    }
    if (!waiting_.empty() && Clock::now() >= ask_at_) {
      if (auto done = ask_where_to_go_on(); !done) return done;
    }
    if (auto done = keep_within_bound(); !done) return done;
    auto polled = source_->poll(longest_poll());
    if (!polled) return fail(std::move(polled.error()));
    if (auto done = take(std::move(*polled)); !done) return done;
    settle();
    send();
    return {};
  }

  Result<> take(kafka::Polled polled) {
    if (auto* record = std::get_if<kafka::InRecord>(&polled)) {
      collect(*record);
    } else if (const auto* end = std::get_if<kafka::AtEnd>(&polled)) {
      note_end(end->place);
    } else if (auto* assigned = std::get_if<kafka::Assigned>(&polled)) {
      return begin(std::move(assigned->partitions));
    } else if (const auto* revoked = std::get_if<kafka::Revoked>(&polled)) {
      return lose(revoked->lost);
    }
    return {};
  }

  // --- what is ours

  Result<> begin(std::vector<std::int32_t> partitions) {
    reading_.clear();
    collected_.reset();
    waiting_ = std::move(partitions);
    shared_->lanes.Set(static_cast<double>(waiting_.size()));
    log_info("partitions are read from here on", {{"topic", options_.topic}, {"partitions", waiting_.size()}});
    ask_at_ = Clock::now() + options_.ask_again;
    // Kafka wants an answer whatever comes of the question.
    auto asked = ask_where_to_go_on();
    if (!asked || !waiting_.empty()) {
      if (auto done = source_->read_from(places()); !done) return done;
    }
    return asked;
  }

  Result<> ask_where_to_go_on() {
    ask_at_ = Clock::now() + options_.ask_again;
    auto bounds = source_->bounds(kBoundsPatience);
    if (!bounds) return fail(std::move(bounds.error()));
    auto question = std::make_shared<Question>();
    question->ours = waiting_;
    for (const kafka::Bounds& each : *bounds) question->all.push_back({each.partition, each.first, each.end});
    lane_count_ = std::max(lane_count_, static_cast<std::int32_t>(bounds->size()));
    post([question](const std::shared_ptr<Shared>& shared) { return answer(shared, question); });
    wait_for([&] { return question->done; }, options_.step_timeout + kBoundsPatience);
    const std::lock_guard lock(shared_->mutex);
    if (!question->done) return unavailable("unavailable", "Nobody said where to go on.");
    if (!question->starts) return fail(std::move(question->starts.error()));
    if (question->starts->empty()) return {};
    for (const LaneStart& start : *question->starts) {
      std::erase(waiting_, start.lane);
      reading_[start.lane] = start.next;
      noted_[start.lane] = start.next;
    }
    return source_->read_from(places());
  }

  Result<> lose(bool lost) {
    // Not waited for where others may have the partitions already.
    finish_under_way(lost ? std::chrono::milliseconds(0) : options_.patience_on_loss, lost);
    reading_.clear();
    noted_.clear();
    waiting_.clear();
    collected_.reset();
    shared_->lanes.Set(0);
    // Or they might come back paused.
    if (std::exchange(paused_, false)) (void)source_->resume();
    log_info("no partition is read any more, until some are given again", {{"topic", options_.topic}});
    return source_->give_up();
  }

  std::vector<kafka::Place> places() const {
    std::vector<kafka::Place> all;
    for (const auto& [lane, next] : reading_) all.push_back({lane, next});
    return all;
  }

  // --- what came

  void collect(const kafka::InRecord& record) {
    const auto at = reading_.find(record.partition);
    if (at == reading_.end()) return;  // fetched before it was taken away
    if (!collected_) {
      collected_ = std::make_shared<Batch>();
      collected_at_ = Clock::now();
    }
    shared_->records.Increment();
    ++collected_->records;
    at->second = record.offset + 1;
    LaneEvents& lane = lane_of(record.partition);
    lane.next = at->second;
    auto read = read_record(record);
    if (!read) {
      log_error("a record is no event and goes to the dead letters", {{"topic", options_.topic},
                                                                      {"partition", record.partition},
                                                                      {"offset", record.offset},
                                                                      {"reason", read.error().detail}});
      collected_->dead.push_back(dead_letter_of(record, options_.topic, read.error().detail));
    } else if (auto* event = std::get_if<Event>(&*read)) {
      lane.through = std::max(lane.through, event->offset);
      lane.events.push_back(std::move(*event));
    } else {
      take_watermark(lane, std::get<Watermark>(*read));
    }
  }

  void take_watermark(LaneEvents& lane, const Watermark& mark) {
    lane_count_ = std::max(lane_count_, mark.partitions);
    if (mark.gap == Watermark::Gap::kSkipped) lane.skipped = std::max(lane.skipped, mark.through);
    if (mark.gap == Watermark::Gap::kRestarted) lane.restarted = true;
    lane.through = std::max(lane.through, mark.through);
  }

  // Marks of transactions take offsets too. To have gone past them matters once all before them is deleted from the
  // topic, so it is told along with other things, or now and then.
  void note_end(const kafka::Place& place) {
    const auto at = reading_.find(place.partition);
    if (at == reading_.end() || at->second >= place.offset) return;
    at->second = place.offset;
    if (collected_) lane_of(place.partition).next = place.offset;
  }

  LaneEvents& lane_of(std::int32_t partition) {
    auto& lanes = collected_->delivery.lanes;
    const auto known = std::ranges::find(lanes, partition, &LaneEvents::lane);
    if (known != lanes.end()) return *known;
    return lanes.emplace_back(LaneEvents{.lane = partition});
  }

  // --- what goes on

  bool is_full() const { return collected_ && collected_->records >= options_.batch_limit; }

  std::chrono::milliseconds longest_poll() const {
    if (under_way_) return std::min(kLongestPoll, std::chrono::milliseconds(5));
    if (!collected_) return kLongestPoll;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(collected_at_ + options_.linger - Clock::now());
    return std::clamp(left, kShortestPoll, kLongestPoll);
  }

  // With a whole batch under way and another read, nothing more is.
  Result<> keep_within_bound() {
    const bool must = under_way_ && is_full();
    if (must == paused_) return {};
    auto done = must ? source_->pause() : source_->resume();
    if (done) paused_ = must;
    return done;
  }

  void send() {
    if (under_way_) return;
    const auto now = Clock::now();
    if (!collected_ && now >= note_end_at_) collect_ends();
    if (!collected_) return;
    if (!is_full() && now < collected_at_ + options_.linger) return;
    under_way_ = std::exchange(collected_, nullptr);
    under_way_->delivery.lane_count = lane_count_;
    for (const LaneEvents& lane : under_way_->delivery.lanes) noted_[lane.lane] = lane.next;
    note_end_at_ = now + options_.note_end_every;
    post([batch = under_way_](const std::shared_ptr<Shared>& shared) { return deliver(shared, batch); });
  }

  void collect_ends() {
    note_end_at_ = Clock::now() + options_.note_end_every;
    for (const auto& [lane, next] : reading_) {
      if (noted_[lane] >= next) continue;
      if (!collected_) collected_ = std::make_shared<Batch>();
      lane_of(lane).next = next;
    }
  }

  void settle() {
    if (!under_way_) return;
    {
      const std::lock_guard lock(shared_->mutex);
      if (!under_way_->done) return;
    }
    commit(false);
    under_way_.reset();
  }

  void commit(bool wait) {
    if (!under_way_->taken) return;
    std::vector<kafka::Place> places;
    for (const LaneEvents& lane : under_way_->delivery.lanes) places.push_back({lane.lane, lane.next});
    if (auto done = source_->commit(places, wait); !done) {
      log_debug("Kafka did not note how far its topic is read", {{"code", done.error().code}});
    }
  }

  void finish_under_way(std::chrono::milliseconds patience, bool lost = false) {
    if (!under_way_) return;
    wait_for([this] { return under_way_->done; }, patience);
    bool done = false;
    {
      const std::lock_guard lock(shared_->mutex);
      under_way_->abandoned = true;
      done = under_way_->done;
    }
    if (done && !lost && source_) commit(true);
    under_way_.reset();
  }

  template <class Make>
  void post(Make make) {
    shared_->with.loop.post([shared = shared_, make = std::move(make)] { shared->tasks.spawn(make(shared)); });
  }
  template <class Predicate>
  void wait_for(Predicate settled, std::chrono::milliseconds patience) {
    std::unique_lock lock(shared_->mutex);
    shared_->settled.wait_for(lock, patience, settled);
  }

  const std::shared_ptr<Shared> shared_;
  const Options& options_;
  std::unique_ptr<kafka::RecordSource> source_;
  std::map<std::int32_t, std::int64_t> reading_;  // ours, and the next record of each
  std::map<std::int32_t, std::int64_t> noted_;    // what the consumer was told
  std::vector<std::int32_t> waiting_;             // ours, and not to be read yet
  Clock::time_point ask_at_{};
  Clock::time_point note_end_at_{};
  std::int32_t lane_count_ = 1;
  std::shared_ptr<Batch> collected_;
  Clock::time_point collected_at_{};
  std::shared_ptr<Batch> under_way_;
  bool paused_ = false;
};

// --- life -----------------------------------------------------------------------------------------------------------

KafkaEventStream::KafkaEventStream(Dependencies with, Options options)
    : shared_(std::make_shared<Shared>(std::move(with), std::move(options))) {}

KafkaEventStream::~KafkaEventStream() {
  if (thread_.joinable()) thread_.join();
}

void KafkaEventStream::start() {
  thread_ = std::thread([shared = shared_] {
    pthread_setname_np(pthread_self(), "kafka-read");
    Reader(shared).run();
    shared->with.loop.post([shared] { shared->tasks.drain(std::exchange(shared->stopped, nullptr)); });
  });
}

void KafkaEventStream::stop(std::move_only_function<void()> stopped) {
  shared_->stopped = std::move(stopped);
  shared_->wake->stop();
  const std::lock_guard lock(shared_->mutex);
  shared_->stopping = true;
  shared_->settled.notify_all();
}

}  // namespace parley::events
