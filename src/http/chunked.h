// The chunked transfer coding (RFC 9112 section 7.1), read strictly and bounded: sizes are 1–16 hex digits, line ends
// are CRLF, extensions and trailers are limited and dropped.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::http {

class ChunkedDecoder {
 public:
  static constexpr std::size_t kMaxExtensionBytes = 256;
  static constexpr std::size_t kMaxTrailerBytes = 4096;

  // Consumes from the front of `input`. Answers the next piece of content (a view into input); empty means that all of
  // input was consumed without content: read more, or done(). kInvalid: malformed, the connection cannot be used
  // further.
  Result<std::string_view> decode(std::string_view& input);
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State : std::uint8_t {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kEndLf,
    kDone
  };

  // One byte of framing; false when malformed.
  bool step(char c);

  State state_ = State::kSizeStart;
  std::uint64_t remaining_ = 0;  // of the current chunk; while reading the size, the size so far
  std::size_t digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
};

// Appends "<hex>\r\n": what stands before a chunk's data.
void append_chunk_size(std::string& out, std::uint64_t size);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace parley::http
