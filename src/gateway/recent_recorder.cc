#include "gateway/recent_recorder.h"

#include "base/check.h"
#include "base/json_writer.h"
#include "tenancy/caller.h"

namespace parley::gateway {

namespace {

constexpr std::chrono::seconds kTimeout{2};

Counter& notes(Metrics& metrics, const char* result) {
  return metrics.counter("parley_gateway_search_recent_total",
                         "Searches answered by the cache, as told to search for the user's recent ones.",
                         {{"result", result}});
}

}  // namespace

RecentRecorder::RecentRecorder(http::Upstream& search, const Clock& clock, Metrics& metrics)
    : search_(search),
      clock_(clock),
      sent_(notes(metrics, "sent")),
      failed_(notes(metrics, "failed")),
      dropped_(notes(metrics, "dropped")) {}

void RecentRecorder::start(EventLoop& loop) {
  CHECK(tasks_ == nullptr);
  tasks_ = std::make_unique<TaskGroup>(loop);
  loop_.store(&loop, std::memory_order_release);
}

void RecentRecorder::stop(std::move_only_function<void()> on_stopped) {
  CHECK(tasks_ != nullptr);
  stopping_ = true;
  loop_.store(nullptr, std::memory_order_release);
  tasks_->drain(std::move(on_stopped));
}

void RecentRecorder::record(const http::Exchange& exchange, std::string_view q) {
  EventLoop* const loop = loop_.load(std::memory_order_acquire);
  const http::Fields& fields = exchange.request.fields;
  const auto authorization = fields.find(http::FieldId::authorization);
  if (loop == nullptr || !authorization || !exchange.caller) return dropped_.Increment();
  if (under_way_.fetch_add(1, std::memory_order_relaxed) >= kMostAtOnce) return drop();
  auto note = std::make_unique<Note>();
  note->user = exchange.caller->tenant.value + '\n' + exchange.caller->user.value;  // in neither is a line's end
  note->authorization = *authorization;
  if (const auto acting_for = fields.find("X-Parley-User")) note->acting_for = *acting_for;
  note->request_id = exchange.request_id;
  JsonWriter(note->body).begin_object().key("q").string(q).end_object();
  loop->post([this, note = std::move(note)]() mutable {
    if (stopping_) return drop();
    std::string user = note->user;
    const auto [of_user, is_first] = waiting_.try_emplace(user);
    Notes& notes = of_user->second;
    notes.push_back(std::move(note));
    if (is_first) {
      tasks_->spawn(send_all(std::move(user)));
    } else if (notes.size() > kMostOfOne) {
      notes.pop_front();
      drop();
    }
  });
}

void RecentRecorder::drop() {
  under_way_.fetch_sub(1, std::memory_order_relaxed);
  dropped_.Increment();
}

Task<> RecentRecorder::send_all(std::string user) {
  for (;;) {
    Notes& notes = waiting_[user];
    if (notes.empty()) break;
    const std::unique_ptr<Note> note = std::move(notes.front());
    notes.pop_front();
    if (stopping_) {
      drop();
      continue;
    }
    co_await send(*note);
    under_way_.fetch_sub(1, std::memory_order_relaxed);
  }
  waiting_.erase(user);
}

Task<> RecentRecorder::send(const Note& note) {
  http::TextBody body(note.body);
  http::Request request;
  request.method = http::Method::kPost;
  request.method_text = "POST";
  request.set_target("/internal/recent");
  request.fields.add("Authorization", note.authorization);
  if (note.acting_for) request.fields.add("X-Parley-User", *note.acting_for);
  request.fields.add("Content-Type", "application/json");
  request.fields.add("X-Request-Id", note.request_id);
  request.body = &body;
  const Result<http::Response> answer = co_await search_.call(request, clock_.steady_now() + kTimeout);
  (answer && answer->status < 300 ? sent_ : failed_).Increment();
}

}  // namespace parley::gateway
