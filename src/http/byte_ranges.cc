#include "http/byte_ranges.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "http/validators.h"

namespace parley::http {

namespace {

constexpr RangeAnswer kWhole{};

// A number too large for anything is as good as the largest; nullopt for what is no number.
std::optional<std::uint64_t> number(std::string_view digits) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  return parse_u64(digits).value_or(std::numeric_limits<std::uint64_t>::max());
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// "0-99", "100-" or "-5" as what it means of `size` bytes; empty when there are none. nullopt when it is malformed.
std::optional<ByteRange> read_range(std::string_view text, std::uint64_t size) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first_text = text.substr(0, dash), last_text = text.substr(dash + 1);
  if (first_text.empty()) {
    const std::optional<std::uint64_t> length = number(last_text);
    if (!length) return std::nullopt;
    return ByteRange{size - std::min(*length, size), size};
  }
  const std::optional<std::uint64_t> first = number(first_text);
  std::optional<std::uint64_t> last = std::numeric_limits<std::uint64_t>::max();
  if (!last_text.empty()) last = number(last_text);
  if (!first || !last || *last < *first) return std::nullopt;
  if (*first >= size) return ByteRange{};
  return ByteRange{*first, std::min(*last, size - 1) + 1};
}

// Takes "bytes" and the separator behind it off `value`.
bool take_unit(std::string_view& value, char separator) {
  constexpr std::string_view kUnit = "bytes";
  if (value.size() <= kUnit.size() || value[kUnit.size()] != separator ||
      !equals_ignoring_ascii_case(value.substr(0, kUnit.size()), kUnit)) {
    return false;
  }
  value.remove_prefix(kUnit.size() + 1);
  return true;
}

}  // namespace

RangeAnswer requested_ranges(const Request& request, std::uint64_t size, std::string_view etag,
                             WallTime last_modified) {
  const auto value = request.fields.find(FieldId::range);
  if (!value || request.method != Method::kGet || request.fields.count(FieldId::range) > 1) return kWhole;
  if (!is_same_content(request, etag, last_modified)) return kWhole;
  return parse_ranges(*value, size);
}

RangeAnswer parse_ranges(std::string_view value, std::uint64_t size) {
  // Nothing of nothing: there is no way to say that in a 206.
  if (size == 0 || !take_unit(value, '=')) return kWhole;
  RangeAnswer answer{.kind = RangeAnswer::Kind::kUnsatisfiable, .parts = {}};
  std::size_t ranges = 0;
  std::uint64_t left = size;
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view text = trimmed(value.substr(0, comma));
    value.remove_prefix(std::min(comma + 1, value.size()));
    if (text.empty()) continue;
    const std::optional<ByteRange> range = read_range(text, size);
    // Ranges that overlap can ask for more than there is: the whole is less.
    if (!range || ++ranges > kMaxRanges || range->length() > left) return kWhole;
    left -= range->length();
    if (range->length() > 0) answer.parts.push_back(*range);
  }
  if (ranges == 0) return kWhole;
  if (!answer.parts.empty()) answer.kind = RangeAnswer::Kind::kParts;
  return answer;
}

std::string content_range(ByteRange range, std::uint64_t size) {
  return "bytes " + std::to_string(range.first) + "-" + std::to_string(range.end - 1) + "/" + std::to_string(size);
}

std::string unsatisfied_content_range(std::uint64_t size) {
  return "bytes */" + std::to_string(size);
}

std::optional<SentRange> parse_content_range(std::string_view value) {
  if (!take_unit(value, ' ')) return std::nullopt;
  const std::size_t dash = value.find('-'), slash = value.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos || slash < dash) return std::nullopt;
  const auto first = parse_u64(value.substr(0, dash)), last = parse_u64(value.substr(dash + 1, slash - dash - 1));
  if (!first || !last || *last < *first || *last == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
  SentRange sent{.range = {*first, *last + 1}, .size = {}};
  if (const std::string_view size = value.substr(slash + 1); size != "*") {
    sent.size = parse_u64(size);
    if (!sent.size || *last >= *sent.size) return std::nullopt;
  }
  return sent;
}

}  // namespace parley::http
