// What the cursor of a list of files holds: the payload that http::CursorScope seals and opens. Pure, any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "media/media_store.h"

namespace parley::media {

std::string to_payload(const FileListPoint& point);
// 400 invalid_cursor for what the above did not write.
Result<FileListPoint> parse_file_point(std::string_view payload);

}  // namespace parley::media
