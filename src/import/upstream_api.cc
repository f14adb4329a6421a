#include "import/upstream_api.h"

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <future>
#include <memory>

#include "base/text.h"

namespace parley::import {

UpstreamApi::UpstreamApi(EventLoop& loop, http::Upstream& upstream, UpstreamApiOptions options)
    : loop_(loop),
      upstream_(upstream),
      authorization_("Bearer " + options.token),
      act_as_(percent_encode(options.act_as)),
      address_(std::move(options.address)),
      timeout_(options.timeout) {}

Result<ApiAnswer> UpstreamApi::call(http::Method method, std::string_view path, std::string_view content_type,
                                    std::string_view body) {
  // What the task refers to lives in this frame, which does not end before the task has. The promise is shared, since
  // its set_value may still be at work when get() returns.
  auto promise = std::make_shared<std::promise<Result<ApiAnswer>>>();
  asio::co_spawn(loop_.io(), exchange(method, path, content_type, body),
                 [promise](std::exception_ptr thrown, Result<ApiAnswer> answer) {
                   if (thrown) {
                     promise->set_exception(thrown);
                   } else {
                     promise->set_value(std::move(answer));
                   }
                 });
  return promise->get_future().get();
}

Task<Result<ApiAnswer>> UpstreamApi::exchange(http::Method method, std::string_view path, std::string_view content_type,
                                              std::string_view body) {
  http::TextBody text(body);
  http::Request request;
  request.method = method;
  request.method_text = http::to_string(method);
  request.set_target(path);
  request.body = &text;
  request.received_at = std::chrono::steady_clock::now();
  request.fields.add("Authorization", authorization_);
  request.fields.add("Accept", "application/json");
  request.fields.add("User-Agent", "parley-import");
  if (!content_type.empty()) request.fields.add("Content-Type", content_type);
  if (!act_as_.empty()) request.fields.add("X-Parley-User", act_as_);

  auto response = co_await upstream_.call(request, request.received_at + timeout_);
  if (!response) {
    // Nobody who runs a command is to try again shortly: the command does.
    if (response.error().code == "upstream_unavailable") {
      response.error().detail = "The server at " + address_ + " cannot be reached.";
    }
    co_return std::unexpected(std::move(response.error()));
  }
  ApiAnswer answer;
  answer.status = response->status;
  if (const auto seconds = response->headers.find("Retry-After")) {
    if (const auto number = parse_u64(*seconds)) {
      answer.retry_after = std::chrono::seconds(std::min<std::uint64_t>(*number, 3600));
    }
  }
  answer.body = std::move(response->body);
  if (response->stream) {
    auto rest = co_await http::read_all(*response->stream, kMaxAnswerBytes);
    if (!rest) co_return std::unexpected(std::move(rest.error()));
    answer.body = std::move(*rest);
  }
  co_return answer;
}

}  // namespace parley::import
