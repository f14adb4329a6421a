// Content-Type values (RFC 9110 section 8.3): the type's name and its charset.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::http::openapi {

struct MediaType {
  std::string_view name;  // "application/json", in the case it was given; empty when malformed
  std::optional<std::string_view> charset;
};

MediaType parse_media_type(std::string_view value);
// "application/merge-patch+json"
bool is_json_suffix_type(std::string_view name);

}  // namespace parley::http::openapi
