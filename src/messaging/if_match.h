// If-Match (RFC 9110 section 13.1.1) over versions: an entity tag is a version in quotes. Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "messaging/commands.h"

namespace parley::messaging {

// "\"3\""
std::string entity_tag(Version version);

// No header and `*` are no condition. A weak tag, and one that was never ours, match nothing; 400 for what is no list
// of entity tags.
Result<VersionGuard> parse_if_match(std::optional<std::string_view> header);

}  // namespace parley::messaging
