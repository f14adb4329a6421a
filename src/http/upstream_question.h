// One question to another role and its whole answer, for a caller that reads JSON rather than streams. Runs on the loop
// that awaits it. The deadline is for all of the answer. fail: what Upstream::call says (unavailable,
// deadline_exceeded), and unavailable for an answer that is longer than `most_bytes`.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/upstream.h"

namespace parley::http {

struct Question {
  Method method = Method::kGet;
  std::string target;
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;  // JSON; empty: none
};

struct WholeAnswer {
  int status = 0;
  HeaderText headers;
  std::string body;
};

Task<Result<WholeAnswer>> ask(Upstream& upstream, Question question, SteadyTime deadline, std::size_t most_bytes);

}  // namespace parley::http
