// What an uploaded file is called: whatever a client sent becomes a name that can be shown and saved anywhere. Pure,
// any thread, never fails.
#pragma once
#include <string>
#include <string_view>

namespace parley::media {

// 1 to 255 bytes of UTF-8: the last part of a path, without control characters and those that hide or turn text
// around, no name of a device of Windows, without blanks at its ends or dots at the last; "file" where nothing is left.
// A long name keeps its extension.
std::string safe_file_name(std::string_view raw);

}  // namespace parley::media
