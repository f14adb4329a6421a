// Heads of HTTP/1.1 messages, read strictly (RFC 9112). Grammar is Beast's; on top of it stands what keeps two parsers
// from reading one message two ways: no bare CR or LF, no folded lines, no control characters, one Content-Length or
// one `Transfer-Encoding: chunked`, never both, one Host. Views point into the buffer that was parsed.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/message.h"

namespace parley::http {

// How the end of a body is found.
struct Framing {
  enum class Kind : std::uint8_t { kNone, kLength, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t length = 0;  // of kLength
};

struct RequestHead {
  Method method = Method::kOther;
  std::string_view method_text;
  std::string_view target;  // origin form; of absolute form (RFC 9112 section 3.2.2) only what follows the authority
  Fields fields;
  Framing framing;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

struct ResponseHead {
  int status = 0;
  Fields fields;
  Framing framing;
  bool keep_alive = true;
};

// Length of the head at the start of `bytes` including its empty line, or nullopt when it is not all there yet. Leading
// CRLF before a request line are the caller's to skip (skip_empty_lines).
std::optional<std::size_t> find_head_end(std::string_view bytes);
// Number of leading bytes that are CRLF pairs (RFC 9112 section 2.2), at most 8 pairs.
std::size_t skip_empty_lines(std::string_view bytes);

// `text` is a whole head. Errors: kInvalid (malformed or ambiguous: answer and close), kHeadersTooLarge (too many
// fields). On an error the head's content means nothing.
Result<> parse_request_head(std::string_view text, RequestHead& head);
// `to` is the method that was asked, which decides whether a body follows (RFC 9112 section 6.3).
Result<> parse_response_head(std::string_view text, Method to, ResponseHead& head);

}  // namespace parley::http
