#include "media/file_cursor.h"

#include "base/text.h"
#include "http/cursor_scope.h"

namespace parley::media {

std::string to_payload(const FileListPoint& point) {
  return std::to_string(point.created_at.time_since_epoch().count()) + ':' + point.id.value;
}

Result<FileListPoint> parse_file_point(std::string_view payload) {
  const std::size_t colon = payload.find(':');
  if (colon == std::string_view::npos) return http::invalid_cursor();
  const auto time = parse_u64(payload.substr(0, colon));
  const std::string_view id = payload.substr(colon + 1);
  if (!time || *time > INT64_MAX || !parse_uuid(id)) return http::invalid_cursor();
  return FileListPoint{WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(*time))), FileId(id)};
}

}  // namespace parley::media
