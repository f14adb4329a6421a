// How a name or a value in a request's query is read: percent-encoding, and `+` as a blank, which browsers' forms and
// URLSearchParams write (WHATWG URL, application/x-www-form-urlencoded). Only in a query: in a path `+` is itself.
// Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::http {

// nullopt on a broken escape.
std::optional<std::string> decode_query_text(std::string_view text);

}  // namespace parley::http
