#include "http/upstream_question.h"

namespace parley::http {

namespace {
std::unexpected<Error> too_long() {
  return unavailable("unavailable", "An answer within the server is longer than it may be.");
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
    auto rest = co_await read_all(*response->stream, most_bytes);
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
