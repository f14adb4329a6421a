#include "http/openapi/media_type.h"

#include "base/text.h"

namespace parley::http::openapi {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

MediaType parse_media_type(std::string_view value) {
  MediaType type;
  std::size_t end = std::min(value.find(';'), value.size());
  type.name = trim(value.substr(0, end));
  while (end < value.size()) {
    const std::size_t begin = end + 1;
    end = std::min(value.find(';', begin), value.size());
    const std::string_view parameter = trim(value.substr(begin, end - begin));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_ascii_case(parameter.substr(0, equals), "charset"))
      continue;
    std::string_view charset = parameter.substr(equals + 1);
    if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
      charset = charset.substr(1, charset.size() - 2);
    type.charset = charset;
  }
  return type;
}

bool is_json_suffix_type(std::string_view name) {
  constexpr std::string_view kPrefix = "application/", kSuffix = "+json";
  return name.size() > kPrefix.size() + kSuffix.size() &&
         equals_ignoring_ascii_case(name.substr(0, kPrefix.size()), kPrefix) &&
         equals_ignoring_ascii_case(name.substr(name.size() - kSuffix.size()), kSuffix);
}

}  // namespace parley::http::openapi
