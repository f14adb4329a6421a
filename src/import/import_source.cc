#include "import/import_source.h"

#include "base/text.h"

namespace parley::import {

bool is_valid_author(std::string_view author) {
  const std::size_t colon = author.find(':');
  return is_valid_id(author) && colon != std::string_view::npos && colon > 0 && colon + 1 < author.size();
}

std::optional<std::string_view> fault_of(const ImportLine& line, WallTime now) {
  if (line.external_id.empty() || line.external_id.size() > kMaxExternalIdBytes || !is_valid_utf8(line.external_id) ||
      has_control_characters(line.external_id)) {
    return "external id that is empty, over 255 bytes or has control characters";
  }
  if (!is_valid_author(line.author)) return "author that is not of the form source:name, 128 bytes at most";
  if (line.content.empty()) return "empty text";
  if (line.content.size() > kMaxContentBytes) return "text over 16 KiB";
  if (!is_valid_utf8(line.content)) return "text that is not UTF-8";
  if (line.content.find('\0') != std::string::npos) return "text with a NUL";
  if (line.created_at > now) return "time in the future";
  return std::nullopt;
}

}  // namespace parley::import
