// Secrets with names, as a setting or a file of keys holds them: "b:SECRET,a:SECRET", the first in use, the others
// still accepted. Pure; any thread. The error says what is wrong, without a word of the text.
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"

namespace parley {

inline constexpr std::size_t kMostNamedSecrets = 16;
inline constexpr std::size_t kMostSecretNameBytes = 32;
inline constexpr std::size_t kLeastNamedSecretBytes = 16;

struct NamedSecret {
  std::string name;  // letters, digits, ".", "_" and "-"
  Secret secret;     // visible ASCII without commas
};

// At least one; no name twice.
std::expected<std::vector<NamedSecret>, std::string> parse_named_secrets(std::string_view text);

}  // namespace parley
