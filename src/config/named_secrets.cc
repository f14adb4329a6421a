#include "config/named_secrets.h"

#include <algorithm>

namespace parley {

namespace {

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kMostSecretNameBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

bool is_secret(std::string_view text) {
  return text.size() >= kLeastNamedSecretBytes && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

std::expected<std::vector<NamedSecret>, std::string> parse_named_secrets(std::string_view text) {
  std::vector<NamedSecret> secrets;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
    const std::string which = "secret number " + std::to_string(secrets.size() + 1);
    const std::size_t colon = std::min(pair.find(':'), pair.size());
    if (!is_name(pair.substr(0, colon))) {
      return std::unexpected(which + " has no name of letters, digits, '.', '_' and '-' before a ':'");
    }
    const std::string_view secret = pair.substr(std::min(colon + 1, pair.size()));
    if (!is_secret(secret)) {
      return std::unexpected(which + " is not " + std::to_string(kLeastNamedSecretBytes) +
                             " or more characters of visible ASCII");
    }
    const std::string_view name = pair.substr(0, colon);
    if (std::ranges::find(secrets, name, &NamedSecret::name) != secrets.end())
      return std::unexpected(which + " has another's name");
    if (secrets.size() == kMostNamedSecrets) {
      return std::unexpected("there are more than " + std::to_string(kMostNamedSecrets));
    }
    secrets.push_back({std::string(name), Secret(std::string(secret))});
  }
  return secrets;
}

}  // namespace parley
