// The progress of an upload, as JSON or as server-sent events.
#include "base/text.h"
#include "media/handler_parts.h"
#include "media/upload_engine.h"
#include "media/upload_progress.h"
#include "resilience/timer.h"

namespace parley::media {

namespace {

constexpr std::chrono::milliseconds kLookEvery{250};
// The store is asked without a sign of change, too: another process, or a sweeper, may have changed it.
constexpr std::chrono::seconds kAskEvery{5};
constexpr std::chrono::seconds kHeartbeatEvery{15};
constexpr std::chrono::minutes kLongest{10};

// An upload as it is now, with its file.
struct Seen {
  Upload upload;
  std::string text;
};

Task<Result<Seen>> look(Media& media, std::shared_ptr<const Caller> caller, FileId id, SteadyTime deadline) {
  const auto standing = media.uploads.under_way().standing(id);
  auto upload = co_await media.uploads.find(caller, id, deadline);
  if (!upload) co_return fail(upload.error());
  std::optional<File> file;
  if (upload->complete) {
    auto found = co_await media.store.get_file(upload->tenant, id, deadline);
    if (!found && found.error().kind != ErrorKind::kNotFound) co_return fail(found.error());
    if (found) file = std::move(*found);
  }
  std::string text = encode_progress(*upload, standing, file);
  co_return Seen{std::move(*upload), std::move(text)};
}

// Ends by itself after a while: a client that still listens asks again, as an EventSource does.
class ProgressEvents final : public http::Body {
 public:
  ProgressEvents(Media& media, std::shared_ptr<const Caller> caller, FileId id, const Seen& first)
      : media_(media),
        caller_(std::move(caller)),
        id_(std::move(id)),
        began_at_(media.clock.steady_now()),
        asked_at_(began_at_),
        sent_at_(began_at_) {
    show(first);
  }
  ~ProgressEvents() override { media_.uploads.stop_watching(caller_->tenant, caller_->user); }

  std::optional<std::uint64_t> size() const override { return std::nullopt; }

  Task<Result<std::string_view>> read() override {
    LoopTimer timer;
    while (unsent_.empty() && !ended_) {
      const SteadyTime now = media_.clock.steady_now();
      if (!media_.uploads.may_watch() || now - began_at_ >= kLongest) break;
      const auto standing = media_.uploads.under_way().standing(id_);
      if (standing != standing_ || now - asked_at_ >= kAskEvery) {
        standing_ = standing;
        asked_at_ = now;
        co_await ask();
      } else if (now - sent_at_ >= kHeartbeatEvery) {
        unsent_ = ":\n\n";
      } else {
        co_await timer.wait_until(std::chrono::steady_clock::now() + kLookEvery);
      }
    }
    sending_ = std::exchange(unsent_, {});
    sent_at_ = media_.clock.steady_now();
    co_return std::string_view(sending_);
  }

 private:
  Task<> ask() {
    const auto seen = co_await look(media_, caller_, id_, media_.clock.steady_now() + kAskEvery);
    if (seen) {
      show(*seen);
    } else if (seen.error().kind == ErrorKind::kNotFound || seen.error().kind == ErrorKind::kGone ||
               seen.error().kind == ErrorKind::kInvalid) {
      end();
    }
  }

  void show(const Seen& seen) {
    if (seen.text != shown_) {
      shown_ = seen.text;
      unsent_ += "event: progress\ndata: " + shown_ + "\n\n";
    }
    if (seen.upload.complete) end();
  }

  void end() {
    unsent_ += "event: end\ndata: {}\n\n";
    ended_ = true;
  }

  Media& media_;
  const std::shared_ptr<const Caller> caller_;
  const FileId id_;
  const SteadyTime began_at_;
  SteadyTime asked_at_;
  SteadyTime sent_at_;
  UploadsUnderWay::Standing standing_;
  std::string shown_;  // the last progress
  std::string unsent_;
  std::string sending_;  // what read() answered
  bool ended_ = false;
};

bool wants_events(const http::Fields& fields) {
  const auto accept = fields.find(http::FieldId::accept);
  return accept && accept->find("text/event-stream") != std::string_view::npos;
}

}  // namespace

Answer get_upload_progress(Call& call) {
  const FileId id = path_id(call, "upload_id");
  auto seen = co_await look(call.media, call.caller, id, call.deadline);
  if (!seen) co_return fail(seen.error());
  if (seen->upload.kind == UploadKind::kWhole && !seen->upload.complete) co_return not_found("upload");
  if (!wants_events(call.exchange.request.fields)) co_return http::json_response(200, std::move(seen->text));
  if (!call.media.uploads.begin_watching(call.caller->tenant, call.caller->user)) {
    co_return unavailable_but_well("overloaded", "Too many uploads are watched; ask for the progress without events.");
  }
  http::Response response = http::text_response(200, "text/event-stream", {});
  response.headers.add("X-Accel-Buffering", "no");
  response.stream = std::make_unique<ProgressEvents>(call.media, call.caller, id, *seen);
  co_return response;
}

}  // namespace parley::media
