#include "http/query_text.h"

#include <algorithm>

#include "base/text.h"

namespace parley::http {

std::optional<std::string> decode_query_text(std::string_view text) {
  if (text.find('+') == std::string_view::npos) return percent_decode(text);
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return percent_decode(spaced);
}

}  // namespace parley::http
