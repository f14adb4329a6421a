#include "search/json_fields.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "base/text.h"

namespace parley::search {

const boost::json::value* JsonFields::find(std::string_view name) {
  const boost::json::value* value = object_.if_contains(name);
  if (value == nullptr) fault(name, "is missing");
  return value;
}

void JsonFields::fault(std::string_view name, std::string_view what) {
  if (!fault_) fault_ = std::string(name) + ' ' + std::string(what);
}

std::string JsonFields::text(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  fault(name, "is no text");
  return {};
}

std::optional<std::string> JsonFields::optional_text(std::string_view name) {
  const boost::json::value* value = object_.if_contains(name);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return text(name);
}

std::int64_t JsonFields::integer(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return 0;
  if (value->is_int64()) return value->get_int64();
  fault(name, "is no integer");
  return 0;
}

bool JsonFields::boolean(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  fault(name, "is neither true nor false");
  return false;
}

WallTime JsonFields::time(std::string_view name) {
  const std::string written = text(name);
  if (fault_) return {};
  if (const auto time = parse_rfc3339(written)) return *time;
  fault(name, "is no time");
  return {};
}

std::size_t JsonFields::size_of_array(std::string_view name) {
  const boost::json::value* value = find(name);
  if (value == nullptr) return 0;
  if (value->is_array()) return value->get_array().size();
  fault(name, "is no list");
  return 0;
}

std::vector<std::string> JsonFields::texts_within(std::string_view name, std::string_view member) {
  std::vector<std::string> all;
  if (size_of_array(name) == 0) return all;
  for (const boost::json::value& each : object_.at(name).get_array()) {
    const boost::json::object* const object = each.if_object();
    const boost::json::value* const text = object != nullptr ? object->if_contains(member) : nullptr;
    if (text == nullptr || !text->is_string()) {
      fault(name, "is no list of objects with " + std::string(member));
      return {};
    }
    all.emplace_back(text->get_string());
  }
  return all;
}

std::vector<std::string> JsonFields::texts(std::string_view name) {
  std::vector<std::string> all;
  const std::size_t size = size_of_array(name);
  if (size == 0) return all;
  all.reserve(size);
  for (const boost::json::value& each : object_.at(name).get_array()) {
    if (!each.is_string()) {
      fault(name, "is no list of texts");
      return {};
    }
    all.emplace_back(each.get_string());
  }
  return all;
}

}  // namespace parley::search
