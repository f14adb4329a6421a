// Strong ids: a TenantId cannot be passed where a UserId is wanted. Each is the id's text; which texts are allowed is
// is_valid_id's to say. New ids are UUIDv7 (RFC 9562, section 5.7): sortable by time, unguessable in 74 bits.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace parley {

template <class Tag>
struct Id {
  std::string value;

  Id() = default;
  explicit Id(std::string text) : value(std::move(text)) {}
  explicit Id(std::string_view text) : value(text) {}
  explicit Id(const char* text) : value(text) {}
  auto operator<=>(const Id&) const = default;
  bool empty() const { return value.empty(); }
};

using TenantId = Id<struct TenantTag>;
using UserId = Id<struct UserTag>;
using ConversationId = Id<struct ConversationTag>;
using MessageId = Id<struct MessageTag>;
using FileId = Id<struct FileTag>;
using EventId = Id<struct EventTag>;

// Whether `text` may be a tenant, user or conversation id. "." and ".." are none: percent-encoded or not, whatever
// resolves a path takes them out of it (RFC 3986, section 6.2.2), so nothing of that id could be reached.
bool is_valid_id(std::string_view text);
inline constexpr std::string_view kIdRule = "1 to 128 bytes of UTF-8 without control characters, and not . or ..";

// Lower-case UUIDv7 with `now` in its first 48 bits. Ids made by one caller within the same millisecond are not ordered
// among themselves: order is `seq`, never an id.
std::string make_uuid_v7(WallTime now, Random& random);
bool is_uuid(std::string_view text);

// The 16 bytes of a UUID, as stores keep them.
using UuidBytes = std::array<std::uint8_t, 16>;
UuidBytes make_uuid_v7_bytes(WallTime now, Random& random);
// Lower-case; CHECK-fails unless there are 16 bytes.
std::string format_uuid(std::span<const std::uint8_t> bytes);
// The canonical, lower-case text only, so that one UUID has one text.
std::optional<UuidBytes> parse_uuid(std::string_view text);

}  // namespace parley

template <class Tag>
struct std::hash<parley::Id<Tag>> {
  std::size_t operator()(const parley::Id<Tag>& id) const noexcept { return std::hash<std::string>()(id.value); }
};
