// UpstreamApi: the API behind an http::Upstream, for threads that may block. Each call runs as a task on the loop and
// is waited for, so the caller owns it. Any thread but the loop's own.
#pragma once
#include <string>

#include "base/event_loop.h"
#include "http/upstream.h"
#include "import/import_api.h"

namespace parley::import {

struct UpstreamApiOptions {
  std::string token;
  std::string act_as;                         // a user, for a service token; empty: the token's own
  std::string address;                        // of the server, for who reads that it cannot be reached
  std::chrono::milliseconds timeout{30'000};  // of one call, its answer's body included
};

class UpstreamApi final : public ImportApi {
 public:
  // The answer of an import or a conversation is far smaller.
  static constexpr std::size_t kMaxAnswerBytes = 1024 * 1024;

  // `loop` must run, and outlive this, as must `upstream`.
  UpstreamApi(EventLoop& loop, http::Upstream& upstream, UpstreamApiOptions options);
  Result<ApiAnswer> call(http::Method method, std::string_view path, std::string_view content_type,
                         std::string_view body) override;

 private:
  Task<Result<ApiAnswer>> exchange(http::Method method, std::string_view path, std::string_view content_type,
                                   std::string_view body);

  EventLoop& loop_;
  http::Upstream& upstream_;
  const std::string authorization_;
  const std::string act_as_;  // percent-encoded
  const std::string address_;
  const std::chrono::milliseconds timeout_;
};

}  // namespace parley::import
