#include "telemetry/trace_context.h"

#include <vector>

namespace parley {
namespace {

constexpr char kHex[] = "0123456789abcdef";

bool is_lower_hex(std::string_view text) {
  for (const char c : text) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

bool is_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

int digit(char c) {
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

void put_hex(char* out, std::uint64_t value) {
  for (int i = 15; i >= 0; --i, value >>= 4) out[i] = kHex[value & 15];
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2), trace_id = text.substr(3, 32), parent_id = text.substr(36, 16),
                         flags = text.substr(53, 2);
  if (!is_lower_hex(version) || version == "ff" || !is_lower_hex(flags) || !is_id(trace_id) || !is_id(parent_id)) {
    return std::nullopt;
  }
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return std::nullopt;
  return TraceParent{trace_id, parent_id, (digit(flags[1]) & 1) != 0};
}

bool is_valid_request_id(std::string_view text) {
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) return false;
  }
  return true;
}

RequestIds::RequestIds(Random& seed) {
  std::vector<std::uint32_t> words(32);
  for (std::uint32_t& word : words) word = static_cast<std::uint32_t>(seed.next_u64());
  std::seed_seq sequence(words.begin(), words.end());
  engine_.seed(sequence);
}

// 50 random bits that stay, then 25 bits of a count: no two alike within a loop, hardly ever among loops and processes.
std::string RequestIds::next_request_id() {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  if ((count_ & ((1u << 25) - 1)) == 0) prefix_ = engine_();
  std::string id(15, '\0');
  std::uint64_t bits = prefix_;
  for (std::size_t i = 0; i < 10; ++i, bits >>= 5) id[i] = kAlphabet[bits & 31];
  bits = count_++;
  for (std::size_t i = 15; i-- > 10; bits >>= 5) id[i] = kAlphabet[bits & 31];
  return id;
}

std::string RequestIds::request_id_for(std::string_view incoming) {
  return is_valid_request_id(incoming) ? std::string(incoming) : next_request_id();
}

std::string RequestIds::traceparent_for(std::string_view incoming) {
  std::string text("00-00000000000000000000000000000000-0000000000000000-00");
  const std::optional<TraceParent> parent = parse_traceparent(incoming);
  if (parent) {
    parent->trace_id.copy(text.data() + 3, 32);
    if (parent->sampled) text[54] = '1';
  } else {
    put_hex(text.data() + 3, engine_() | 1);  // never all zero
    put_hex(text.data() + 19, engine_());
  }
  put_hex(text.data() + 36, engine_() | 1);
  return text;
}

}  // namespace parley
