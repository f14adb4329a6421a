#include "gateway/proxy.h"

#include <array>
#include <forward_list>

#include "base/ids.h"
#include "http/client_address.h"
#include "http/problem.h"

namespace parley::gateway {

namespace {

constexpr std::string_view kVersion = "/v1";
constexpr std::string_view kMedia = "/v1/media";
constexpr std::string_view kMessagesOf = "/v1/messages/conversations/";

}  // namespace

std::string_view map_target(const http::Request& request, PathMapping mapping, std::string& storage) {
  switch (mapping) {
    case PathMapping::kStripVersion:
      if (!request.path.starts_with("/v1/")) return {};
      return request.target.substr(kVersion.size());
    case PathMapping::kStripMedia:
      if (!request.path.starts_with("/v1/media/")) return {};
      return request.target.substr(kMedia.size());
    case PathMapping::kConversationMessages: {
      if (!request.path.starts_with(kMessagesOf)) return {};
      const std::string_view id = request.path.substr(kMessagesOf.size());
      if (id.empty() || id.find('/') != std::string_view::npos) return {};
      storage.reserve(request.target.size());
      storage.append("/conversations/")
          .append(id)
          .append("/messages")
          .append(request.target.substr(request.path.size()));
      return storage;
    }
  }
  return {};
}

bool has_dot_segment(std::string_view path) {
  // Nearly every path ends here.
  if (path.find("/.") == std::string_view::npos && path.find("/%2") == std::string_view::npos) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    std::size_t dots = 0;
    while (!segment.empty()) {
      const bool encoded = segment.starts_with("%2e") || segment.starts_with("%2E");
      if (!encoded && segment[0] != '.') break;
      segment.remove_prefix(encoded ? 3 : 1);
      ++dots;
    }
    if (segment.empty() && (dots == 1 || dots == 2)) return true;
  }
  return false;
}

// A request on its way: all that the upstream may look at until its answer is done with, in one allocation, which
// becomes the answer's stream when it has one.
class Proxy::Passage final : public http::Body {
 public:
  Passage(http::Body& client_body, const Clock& clock) : body(client_body, clock) {}

  // Keeps a copy of `text` as long as the Passage. Request ids and trace contexts are bounded; what is not fits or is
  // kept in a string of its own.
  std::string_view keep(std::string_view text) {
    if (text.size() > room_.size() - used_) return others_.emplace_front(text);
    char* const at = room_.data() + used_;
    text.copy(at, text.size());
    used_ += text.size();
    return {at, text.size()};
  }

  // Not coroutines: the answer's own body does the work.
  Task<Result<std::string_view>> read() override { return answer->read(); }
  std::optional<std::uint64_t> size() const override { return answer->size(); }
  std::optional<http::FileRun> as_file() override { return answer->as_file(); }
  SteadyTime::duration waited() const override { return answer->waited(); }
  void interrupt() override { answer->interrupt(); }

  http::Request request;
  ForwardedBody body;
  std::string target;            // when it is not part of the client's
  std::unique_ptr<Body> answer;  // the upstream's

 private:
  std::size_t used_ = 0;
  std::array<char, 256> room_;
  std::forward_list<std::string> others_;
};

Task<http::Response> Proxy::forward(http::Exchange& exchange, PathMapping mapping, bool honours_idempotency_key,
                                    std::chrono::milliseconds more_time) {
  auto passage = std::make_unique<Passage>(*exchange.request.body, clock_);
  if (std::optional<Error> refusal = prepare(exchange, mapping, honours_idempotency_key, *passage)) {
    co_return http::problem_response(*refusal, exchange.request_id);
  }
  const std::optional<std::uint64_t> size = exchange.request.body->size();
  ForwardedBody* body = nullptr;
  if (size != std::optional<std::uint64_t>(0)) {
    body = &passage->body;
    passage->request.body = body;
    if (std::optional<Error> open = upstream_.turned_away()) {
      co_return http::problem_response(*open, exchange.request_id);
    }
  }
  if (honours_idempotency_key && body != nullptr && size && *size <= ForwardedBody::kMaxHeldBytes) {
    if (const Result<> held = co_await body->hold(); !held) {
      co_return http::problem_response(held.error(), exchange.request_id);
    }
  }

  const SteadyTime due = exchange.due();
  const SteadyTime deadline = due == SteadyTime::max() ? due : due + more_time;
  Result<http::Response> answer = co_await upstream_.call(passage->request, body, deadline, more_time);
  if (!answer) co_return http::problem_response(shown(std::move(answer.error()), *passage), exchange.request_id);
  if (answer->stream) {
    passage->answer = std::move(answer->stream);
    answer->stream = std::move(passage);
  }
  co_return std::move(*answer);
}

std::optional<Error> Proxy::prepare(http::Exchange& exchange, PathMapping mapping, bool honours_idempotency_key,
                                    Passage& passage) {
  const http::Request& client = exchange.request;
  if (has_dot_segment(client.path)) {
    return Error{ErrorKind::kInvalid, "bad_request", "A segment of the path is '.' or '..'.", {}, {}};
  }
  const std::string_view target = map_target(client, mapping, passage.target);
  if (target.empty()) {
    return Error{ErrorKind::kNotFound, "route_not_found", "There is nothing at this path.", {}, {}};
  }

  http::Request& request = passage.request;
  request.method = client.method;
  request.method_text = client.method_text;
  request.set_target(target);
  request.body = client.body;
  request.peer = client.peer;
  request.received_at = client.received_at;

  ForwardedFacts facts{.forwarded_for = client.peer,
                       .request_id = passage.keep(exchange.request_id),
                       .traceparent = passage.keep(exchange.traceparent),
                       .scheme = rules_.scheme};
  if (rules_.trusted_proxies.contains(client.peer)) {
    facts.client_is_trusted = true;
    facts.forwarded_for = passage.keep(http::forwarded_chain(client));
  }
  bool fits = forward_fields(client.fields, facts, request.fields);
  // Looked for in what goes out: the client may have sent one that Connection names, which stays here.
  if (fits && honours_idempotency_key && !request.fields.find("Idempotency-Key")) {
    fits = request.fields.add("Idempotency-Key", passage.keep(make_uuid_v7(clock_.wall_now(), random_)));
  }
  if (!fits) {
    return Error{ErrorKind::kHeadersTooLarge, "headers_too_large", "The request has too many header fields.", {}, {}};
  }
  return std::nullopt;
}

// What the caller sees of an upstream that gave no answer: the contract's codes, whatever the adapter called it.
Error Proxy::shown(Error error, const Passage& passage) const {
  if (passage.body.client_at_fault() || error.code == "circuit_open") return error;
  if (error.kind == ErrorKind::kTimeout) {
    error.code = "deadline_exceeded";
    error.detail = std::string(upstream_.name()) + " did not answer in time; what was asked may have been done.";
  } else {
    error.kind = ErrorKind::kUnavailable;
    error.code = "upstream_unavailable";
    error.detail = std::string(upstream_.name()) + " could not be reached; try again shortly.";
    if (!error.retry_after) error.retry_after = std::chrono::seconds(1);
  }
  return error;
}

}  // namespace parley::gateway
