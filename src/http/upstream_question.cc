#include "http/upstream_question.h"

#include "base/event_loop.h"

namespace parley::http {

namespace {
std::unexpected<Error> too_long() {
  return unavailable("unavailable", "An answer within the server is longer than it may be.");
}

// However slowly it comes.
Task<Result<std::string>> read_by(Body& body, SteadyTime deadline, std::size_t most_bytes) {
  bool late = false;
  Deadline expiry(EventLoop::current(), [&body, &late] {
    late = true;
    body.interrupt();
  });
  expiry.arm(deadline);
  auto text = co_await read_all(body, most_bytes);
  if (!text && late) {
    co_return fail(ErrorKind::kTimeout, "deadline_exceeded", "An answer within the server did not come in time.");
  }
  co_return text;
}

}  // namespace

Task<Result<WholeAnswer>> ask(Upstream& upstream, Question question, SteadyTime deadline, std::size_t most_bytes) {
  TextBody body(question.body);
  Request request;
  request.method = question.method;
  request.method_text = to_string(question.method);
  request.set_target(question.target);
  request.body = &body;
  request.received_at = std::chrono::steady_clock::now();
  for (const auto& [name, value] : question.fields) request.fields.add(name, value);
  if (!question.body.empty()) request.fields.add("Content-Type", "application/json");

  auto response = co_await upstream.call(request, deadline);
  if (!response) co_return fail(std::move(response.error()));
  WholeAnswer answer{response->status, std::move(response->headers), std::move(response->body)};
  if (response->stream) {
    auto rest = co_await read_by(*response->stream, deadline, most_bytes);
    if (!rest && rest.error().kind == ErrorKind::kTooLarge) {
      co_return too_long();
    }
    if (!rest) co_return fail(std::move(rest.error()));
    answer.body = std::move(*rest);
  } else if (answer.body.size() > most_bytes) {
    co_return too_long();
  }
  co_return answer;
}

}  // namespace parley::http
