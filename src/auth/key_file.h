// A secret in a file of its own, for its owner only: mode 0600, owned by the user who runs Parley, a plain file. What
// others may read or replace is refused. Start-up and CLI only: blocks.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"
#include "config/secret.h"

namespace parley::auth {

// The file's text. `what` names it for people ("the development key"). kNotFound when there is none; kForbidden (code
// unsafe_key) when others may read or replace it, or it is no plain file.
Result<std::string> read_key_file(const std::filesystem::path& path, std::string_view what);

// Puts `text` at `path`, durably, unless something is there already, which is no failure: then another process was
// first. Makes the folder (0700) where it is missing. kInternal when it cannot be written.
Result<> write_key_file_once(const std::filesystem::path& path, std::string_view text, std::string_view what);

// A secret of kMinSecretBytes to kMaxSecretBytes of visible ASCII in such a file, a line feed after it allowed.
// kInvalid (bad_key) when the file holds another thing.
inline constexpr std::size_t kMinSecretBytes = 32;
inline constexpr std::size_t kMaxSecretBytes = 512;
Result<Secret> load_secret_file(const std::filesystem::path& path, std::string_view what);
// The same, but makes one of 32 random bytes where there is none; of several processes at once one wins.
Result<Secret> load_or_create_secret_file(const std::filesystem::path& path, std::string_view what, Random& random);

}  // namespace parley::auth
