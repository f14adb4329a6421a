#include "search/recent_query.h"

#include "base/text.h"
#include "search/query_parser.h"
#include "search/text/fold.h"

namespace parley::search {

namespace {

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

Result<> check_recent_query(std::string_view query) {
  if (query.size() > kMaxQueryBytes) return invalid_field("query.q", "is longer than 1024 bytes");
  if (!is_valid_utf8(query)) return invalid_field("query.q", "is not valid UTF-8");
  return {};
}

std::string trimmed_query(std::string_view text) {
  constexpr std::string_view kWideSpace = "\u3000";
  const auto cut = [&](bool ascii, bool wide) { return ascii ? std::size_t{1} : wide ? kWideSpace.size() : 0; };
  while (const auto size = cut(!text.empty() && is_space(text.front()), text.starts_with(kWideSpace))) {
    text.remove_prefix(size);
  }
  while (const auto size = cut(!text.empty() && is_space(text.back()), text.ends_with(kWideSpace))) {
    text.remove_suffix(size);
  }
  return std::string(text);
}

std::string sameness_of(const std::string& query) {
  std::string key;
  for (const char c : fold(query)) {
    if (!is_space(c)) {
      key += c;
    } else if (!key.empty() && key.back() != ' ') {
      key += ' ';
    }
  }
  if (key.ends_with(' ')) key.pop_back();
  return key;
}

}  // namespace parley::search
