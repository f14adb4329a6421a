// Small, pure functions over bytes and text: UTF-8, percent-encoding (RFC 3986), base64 and base64url (RFC 4648), hex,
// RFC 3339 times. No locale, no allocation beyond the answer. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace parley {

// Strict: no surrogates, no overlong forms, nothing above U+10FFFF.
bool is_valid_utf8(std::string_view bytes);
// With U+FFFD for each byte that is no part of a valid sequence.
std::string to_valid_utf8(std::string_view bytes);
// C0, DEL and C1 (U+0080 to U+009F); the text must be valid UTF-8.
bool has_control_characters(std::string_view text);
// "." or "..", which mean a place and no name where they stand between the slashes of a path.
bool is_dot_segment(std::string_view text);
bool equals_ignoring_ascii_case(std::string_view a, std::string_view b);

// Leaves unreserved characters (RFC 3986 section 2.3) alone.
std::string percent_encode(std::string_view bytes);
// nullopt on a broken escape. `+` stays `+`.
std::optional<std::string> percent_decode(std::string_view text);

// Without padding.
std::string base64url_encode(std::span<const std::uint8_t> bytes);
inline std::string base64url_encode(std::string_view bytes) {
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}
// Strict and canonical: nullopt on a foreign character, padding, or unused bits that are not zero.
std::optional<std::string> base64url_decode(std::string_view text);
// The same with the alphabet of section 4; padding is whole or left out.
std::optional<std::string> base64_decode(std::string_view text);

std::string hex_encode(std::span<const std::uint8_t> bytes);
// Digits of either case; nullopt for anything else or half a byte.
std::optional<std::string> hex_decode(std::string_view text);

// `text` as HTML text or attribute: & < > " ' are written as references.
void append_html_escaped(std::string& out, std::string_view text);
std::string html_escape(std::string_view text);

// "2026-01-02T03:04:05.678Z", always UTC, always milliseconds.
std::string format_rfc3339(WallTime time);
// Accepts any RFC 3339 date-time (offset, fraction of any length, cut to milliseconds); nullopt otherwise.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// The whole of `text` as a decimal number without sign, or nullopt.
std::optional<std::uint64_t> parse_u64(std::string_view text);

}  // namespace parley
