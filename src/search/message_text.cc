#include "search/message_text.h"

namespace parley::search {

std::string message_text(std::string_view content, const std::vector<std::string>& file_names) {
  std::string text(content);
  for (const std::string& name : file_names) {
    if (!text.empty()) text += '\n';
    text += name;
  }
  return text;
}

std::string_view names_in(std::string_view text, std::optional<std::int64_t> names_at) {
  if (!names_at) return {};
  text.remove_prefix(static_cast<std::size_t>(*names_at));
  if (*names_at > 0) text.remove_prefix(1);
  return text;
}

bool has_link(std::string_view content) {
  return content.find("http://") != content.npos || content.find("https://") != content.npos;
}

}  // namespace parley::search
