// W3C Trace Context (traceparent, level 1) and request ids: checking what came in, making what goes out.
#pragma once
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/random.h"

namespace parley {

struct TraceParent {
  std::string_view trace_id;   // 32 lower-case hex digits, not all zero; refers to the parsed text
  std::string_view parent_id;  // 16, likewise
  bool sampled = false;
};

// nullopt on anything that is no traceparent of version 00, or of a later version that begins like one. Any thread.
std::optional<TraceParent> parse_traceparent(std::string_view text);

// 1 to 128 bytes of visible ASCII. Any thread.
bool is_valid_request_id(std::string_view text);

// Makes ids unlike any other's, fast: seeded once from `seed`, then without system calls. Not secret. One per event
// loop, called on that loop only.
class RequestIds {
 public:
  explicit RequestIds(Random& seed);

  // 15 characters of a-z and 2-7: no allocation.
  std::string next_request_id();
  // `incoming` if it is valid, else a new one.
  std::string request_id_for(std::string_view incoming);
  // The traceparent to pass on: a child of `incoming` if that is valid (same trace, same sampling), else the first of a
  // new trace, not sampled.
  std::string traceparent_for(std::string_view incoming);

 private:
  std::mt19937_64 engine_;
  std::uint64_t prefix_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace parley
