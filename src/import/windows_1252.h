// Text of old files as UTF-8. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

namespace parley::import {

// Leaves valid UTF-8 sequences as they are and reads every other byte as Windows-1252; its five unassigned bytes become
// U+FFFD. So a line in which someone quotes another's encoding comes out right in both parts.
std::string to_utf8(std::string_view bytes);

}  // namespace parley::import
