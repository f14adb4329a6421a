// ImportApi: the port through which an import asks the server. UpstreamApi is the real one; tests have a fake. Called
// by several threads at once; each call blocks until the answer is whole.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace parley::import {

struct ApiAnswer {
  int status = 0;
  std::string body;
  std::optional<std::chrono::seconds> retry_after;
};

class ImportApi {
 public:
  virtual ~ImportApi() = default;
  // `path` begins with /v1. Errors: kUnavailable (no connection, or lost), kTimeout: the request may have had its
  // effect.
  virtual Result<ApiAnswer> call(http::Method method, std::string_view path, std::string_view content_type,
                                 std::string_view body) = 0;
};

}  // namespace parley::import
