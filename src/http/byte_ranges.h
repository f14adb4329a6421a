// The Range request (RFC 9110 section 14): which bytes of a content a GET asks for. Pure, any thread. What is
// malformed, asked of another unit or too much is ignored, as the RFC has it: then the whole content is the answer.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_range.h"
#include "base/clock.h"
#include "http/message.h"

namespace parley::http {

// More ranges than that in one request are ignored.
inline constexpr std::size_t kMaxRanges = 8;

struct RangeAnswer {
  enum class Kind : std::uint8_t {
    kWhole,          // 200: no range was asked for, or none that counts
    kParts,          // 206: `parts`
    kUnsatisfiable,  // 416, with unsatisfied_content_range()
  };
  Kind kind = Kind::kWhole;
  std::vector<ByteRange>
      parts;  // in the order asked for, 1 to kMaxRanges, none empty, together no longer than the whole
};

// What a request's Range asks of a content of `size` bytes, if its If-Range (when it has one) names that content
// (validators.h). Only GET has ranges.
RangeAnswer requested_ranges(const Request& request, std::uint64_t size, std::string_view etag, WallTime last_modified);

// The same for the value of a Range field alone.
RangeAnswer parse_ranges(std::string_view value, std::uint64_t size);

// "bytes 0-99/200" and "bytes */200": the Content-Range of a 206 (or of each of its parts) and of a 416.
std::string content_range(ByteRange range, std::uint64_t size);
std::string unsatisfied_content_range(std::uint64_t size);

// The Content-Range of a request that brings a part of something ("bytes 0-99/200", "bytes 0-99/*"); nullopt when it is
// malformed.
struct SentRange {
  ByteRange range;
  std::optional<std::uint64_t> size;  // of the whole, if it is said
};
std::optional<SentRange> parse_content_range(std::string_view value);

}  // namespace parley::http
