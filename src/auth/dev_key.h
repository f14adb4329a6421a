// The development key: an ES256 key pair in the data folder, with which `parley token` signs while no real key is
// configured. Mode 0600, owned by the user who runs Parley; readable by others, it is refused. Start-up and CLI only:
// blocks.
#pragma once
#include <filesystem>

#include "auth/signing_key.h"
#include "base/result.h"

namespace parley::auth {

inline constexpr const char* kDevKeyFile = "dev_key.pem";

// The key of `folder`. kNotFound when it has none; kForbidden (code unsafe_key) when others may read or replace it;
// kInvalid (code bad_key) when it is no key.
Result<SigningKey> load_dev_key(const std::filesystem::path& folder);

// The same, but makes key and folder (0700) where they are missing. Safe when several processes start at once: one key
// wins. kInternal when the folder cannot be written.
Result<SigningKey> load_or_create_dev_key(const std::filesystem::path& folder);

}  // namespace parley::auth
