// Reading JSON that an engine answered: what is missing or of another kind reads as nothing. Pure; any thread.
#pragma once
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace parley::search {

namespace json = boost::json;

inline const json::value* member(const json::object& of, std::string_view name) {
  return of.if_contains(name);
}
inline std::string_view text_in(const json::object& of, std::string_view name) {
  const json::value* const value = member(of, name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}
inline std::int64_t integer_of(const json::value* value, std::int64_t otherwise = 0) {
  if (!value) return otherwise;
  if (value->is_int64()) return value->get_int64();
  return value->is_uint64() && value->get_uint64() <= INT64_MAX ? static_cast<std::int64_t>(value->get_uint64())
                                                                : otherwise;
}
inline std::int64_t integer_in(const json::object& of, std::string_view name, std::int64_t otherwise = 0) {
  return integer_of(member(of, name), otherwise);
}
inline bool flag_in(const json::object& of, std::string_view name) {
  const json::value* const value = member(of, name);
  return value && value->is_bool() && value->get_bool();
}
inline const json::object& object_in(const json::object& of, std::string_view name) {
  static const json::object none;
  const json::value* const value = member(of, name);
  return value && value->is_object() ? value->get_object() : none;
}
inline const json::array& array_in(const json::object& of, std::string_view name) {
  static const json::array none;
  const json::value* const value = member(of, name);
  return value && value->is_array() ? value->get_array() : none;
}
inline std::vector<std::string> texts_in(const json::object& of, std::string_view name) {
  std::vector<std::string> texts;
  for (const json::value& each : array_in(of, name)) {
    if (each.is_string()) texts.emplace_back(std::string_view(each.get_string()));
  }
  return texts;
}
inline json::array to_array(const std::vector<std::string>& texts) {
  json::array made;
  for (const std::string& text : texts) made.emplace_back(text);
  return made;
}

}  // namespace parley::search
