// What names a state of a content: HTTP dates (RFC 9110 section 5.6.7) and entity tags (section 8.8.3). Pure, any
// thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace parley::http {

// "Sun, 06 Nov 1994 08:49:37 GMT"; to the second, downwards.
std::string format_http_date(WallTime time);
// That form alone: whoever sends one of the obsolete ones is answered as if it had sent none.
std::optional<WallTime> parse_http_date(std::string_view text);

// Whether a GET or HEAD is to be answered 304: its If-None-Match names `etag` (in quotes, as sent; compared weakly, `*`
// is any), or it has none and its If-Modified-Since is not before `last_modified`.
bool is_not_modified(const Request& request, std::string_view etag, WallTime last_modified);

// Whether a request's If-Range, if it has one, names this very content: `etag`, strongly compared, or the date.
bool is_same_content(const Request& request, std::string_view etag, WallTime last_modified);

}  // namespace parley::http
