// Parses the JSON of tokens and key sets: one object, valid UTF-8, no name twice in any object (two parsers would pick
// different ones), at most 16 levels deep. nullopt otherwise. Pure; any thread.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

namespace parley::auth {

std::optional<boost::json::object> parse_strict_object(std::string_view text);

}  // namespace parley::auth
