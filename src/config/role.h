// The four roles that one binary can play, and their names on the command line, in logs, metrics and folders.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace parley {

enum class Role : std::uint8_t { kGateway, kMessaging, kMedia, kSearch };

inline constexpr std::array kAllRoles{Role::kGateway, Role::kMessaging, Role::kMedia, Role::kSearch};

constexpr std::string_view to_string(Role role) {
  constexpr std::array<std::string_view, 4> kNames{"gateway", "messaging", "media", "search"};
  return kNames[static_cast<std::size_t>(role)];
}

constexpr std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : kAllRoles) {
    if (to_string(role) == text) return role;
  }
  return std::nullopt;
}

}  // namespace parley
