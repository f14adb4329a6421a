// A secret in a file of its own, for its owner only: mode 0600, owned by the user who runs Parley, a plain file. What
// others may read or replace is refused. Start-up and CLI only: blocks.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::auth {

// The file's text. `what` names it for people ("the development key"). kNotFound when there is none; kForbidden (code
// unsafe_key) when others may read or replace it, or it is no plain file.
Result<std::string> read_key_file(const std::filesystem::path& path, std::string_view what);

// Puts `text` at `path`, durably, unless something is there already, which is no failure: then another process was
// first. Makes the folder (0700) where it is missing. kInternal when it cannot be written.
Result<> write_key_file_once(const std::filesystem::path& path, std::string_view text, std::string_view what);

}  // namespace parley::auth
