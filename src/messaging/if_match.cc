#include "messaging/if_match.h"

#include "base/text.h"

namespace parley::messaging {

namespace {

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// The version that an opaque tag's inner text names, if it is one that entity_tag() would write.
std::optional<Version> version_of(std::string_view inner) {
  const auto number = parse_u64(inner);
  if (!number || *number > INT64_MAX || inner.starts_with('0')) return std::nullopt;
  return static_cast<Version>(*number);
}

}  // namespace

std::string entity_tag(Version version) {
  return '"' + std::to_string(version) + '"';
}

Result<VersionGuard> parse_if_match(std::optional<std::string_view> header) {
  if (!header || *header == "*") return VersionGuard();
  const auto malformed = [] { return invalid_field("header.If-Match", "must be * or a list of ETags such as \"3\""); };
  std::vector<Version> accepted;
  std::string_view rest = *header;
  for (bool first = true;; first = false) {
    skip_spaces(rest);
    if (!first) {
      if (rest.empty()) return accepted;
      if (rest.front() != ',') return malformed();
      rest.remove_prefix(1);
      skip_spaces(rest);
    }
    const bool weak = rest.starts_with("W/");
    if (weak) rest.remove_prefix(2);
    if (!rest.starts_with('"')) return malformed();
    const std::size_t end = rest.find('"', 1);
    if (end == std::string_view::npos) return malformed();
    const auto version = version_of(rest.substr(1, end - 1));
    rest.remove_prefix(end + 1);
    if (version && !weak) accepted.push_back(*version);
  }
}

}  // namespace parley::messaging
