#include "http/chunked.h"

#include <algorithm>
#include <charconv>

namespace parley::http {

namespace {
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}
}  // namespace

Result<std::string_view> ChunkedDecoder::decode(std::string_view& input) {
  while (!input.empty() && state_ != State::kDone) {
    if (state_ == State::kData) {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
      const std::string_view content = input.substr(0, n);
      input.remove_prefix(n);
      remaining_ -= n;
      if (remaining_ == 0) state_ = State::kDataCr;
      return content;
    }
    if (!step(input.front())) return fail(ErrorKind::kInvalid, "bad_request", "The chunked body is malformed.");
    input.remove_prefix(1);
  }
  return std::string_view();
}

bool ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::kSizeStart:
      remaining_ = 0;
      digits_ = 0;
      state_ = State::kSize;
      [[fallthrough]];
    case State::kSize:
      if (const int digit = hex_value(c); digit >= 0) {
        remaining_ = remaining_ << 4 | static_cast<std::uint64_t>(digit);
        return ++digits_ <= 16;
      }
      if (digits_ == 0) return false;
      if (c == ';') {
        state_ = State::kExtension;
        return true;
      }
      state_ = State::kSizeLf;
      return c == '\r';
    case State::kExtension:
      if (c == '\r') {
        state_ = State::kSizeLf;
        return true;
      }
      return !is_control(c) && ++extension_bytes_ <= kMaxExtensionBytes;
    case State::kSizeLf:
      state_ = remaining_ == 0 ? State::kTrailerStart : State::kData;
      return c == '\n';
    case State::kDataCr:
      state_ = State::kDataLf;
      return c == '\r';
    case State::kDataLf:
      state_ = State::kSizeStart;
      return c == '\n';
    case State::kTrailerStart:
      if (c == '\r') {
        state_ = State::kEndLf;
        return true;
      }
      state_ = State::kTrailer;
      if (c == ' ' || c == '\t') return false;
      [[fallthrough]];
    case State::kTrailer:
      if (c == '\r') {
        state_ = State::kTrailerLf;
        return true;
      }
      return !is_control(c) && ++trailer_bytes_ <= kMaxTrailerBytes;
    case State::kTrailerLf:
      state_ = State::kTrailerStart;
      return c == '\n';
    case State::kEndLf:
      state_ = State::kDone;
      return c == '\n';
    case State::kData:
    case State::kDone:
      return false;
  }
  return false;
}

void append_chunk_size(std::string& out, std::uint64_t size) {
  char digits[20];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, size, 16);
  out.append(digits, end).append("\r\n");
}

}  // namespace parley::http
