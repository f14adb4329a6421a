#include "http/testing/service_client.h"

#include <algorithm>

#include "base/text.h"

namespace parley::http::testing {

namespace {

// Everything by value or in the caller's frame, which waits.
Task<Answer> ask(Service& service, Request& request) {
  Response response = co_await service.serve(request);
  Answer answer{response.status, std::move(response.headers), std::move(response.body), response.head_length};
  if (response.stream) answer.length = response.stream->size();
  while (response.stream) {
    const auto piece = co_await response.stream->read();
    if (!piece || piece->empty()) break;
    answer.body.append(*piece);
  }
  if (response.on_sent) response.on_sent(answer.body.size(), true);
  co_return answer;
}

}  // namespace

Answer ServiceClient::send_json(Method method, std::string_view target, std::string_view json, HeaderList headers) {
  const auto is_content_type = [](const auto& header) {
    return equals_ignoring_ascii_case(header.first, "Content-Type");
  };
  if (std::ranges::none_of(headers, is_content_type)) headers.emplace_back("Content-Type", "application/json");
  return send(method, target, json, std::move(headers));
}

Answer ServiceClient::send(Method method, std::string_view target, std::string_view body, HeaderList headers) {
  TextBody text(body);
  Request request;
  request.method = method;
  request.method_text = to_string(method);
  request.set_target(target);
  request.body = &text;
  request.peer = "127.0.0.1";
  request.received_at = std::chrono::steady_clock::now();
  for (const auto& [name, value] : always_) {
    const auto same = [&](const auto& header) { return equals_ignoring_ascii_case(header.first, name); };
    if (std::ranges::none_of(headers, same)) request.fields.add(name, value);
  }
  for (const auto& [name, value] : headers) request.fields.add(name, value);
  return loop_.run(ask(service_, request));
}

}  // namespace parley::http::testing
