#include "http/openapi/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include "base/json_writer.h"

#include "base/text.h"

namespace parley::http::openapi {

namespace {

// Code points of valid UTF-8: what JSON Schema counts as length.
std::uint64_t count_characters(std::string_view text) {
  std::uint64_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

bool is_visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

bool holds_nul(const json::value& value) {
  if (const auto* text = value.if_string()) return text->find('\0') != json::string::npos;
  if (const auto* array = value.if_array()) return std::ranges::any_of(*array, holds_nul);
  if (const auto* object = value.if_object()) {
    return std::ranges::any_of(*object, [](const auto& member) {
      return member.key().find('\0') != json::string_view::npos || holds_nul(member.value());
    });
  }
  return false;
}

std::string plural(std::uint64_t count, std::string_view one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

// A whole number written as one: docs/api.md refuses 7.0.
std::optional<std::int64_t> integral(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) return INT64_MAX;  // beyond any bound a contract sets
  return std::nullopt;
}

std::string quoted_list(const std::vector<std::string>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += words[i];
  }
  return list;
}

}  // namespace

Error Faults::to_error() && {
  const FieldError& first = fields_.front();
  std::string detail = first.path.empty() ? "The body " + first.message : first.path + ": " + first.message;
  if (fields_.size() > 1) detail += fmt::format(" ({} faults in all)", fields_.size());
  return Error{ErrorKind::kInvalid, "validation_failed", std::move(detail), std::move(fields_), {}};
}

std::string Place::pointer() const {
  if (parent == nullptr) return std::string(name);
  std::string text = parent->pointer() + '/';
  if (name.data() == nullptr) return text + std::to_string(index);
  for (const char c : name.substr(0, 128)) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

void Schema::check(const json::value& value, const Place& place, Faults& faults) const {
  switch (value.kind()) {
    case json::kind::string:
      if (types_ & kString) return check_string(value.get_string(), place, faults);
      break;
    case json::kind::object:
      if (types_ & kObject) return check_object(value.get_object(), place, faults);
      break;
    case json::kind::array:
      if (types_ & kArray) return check_array(value.get_array(), place, faults);
      break;
    case json::kind::null:
      if (types_ & kNull) return;
      break;
    case json::kind::bool_:
      if (types_ & kBoolean) return;
      break;
    default:
      if (types_ & kInteger) return check_integer(value, place, faults);
  }
  faults.add(place.pointer(), "must be " + type_names());
}

void Schema::check_string(std::string_view text, const Place& place, Faults& faults) const {
  if (auto fault = fault_of_text(text)) faults.add(place.pointer(), std::move(*fault));
}

void Schema::check_integer(const json::value& value, const Place& place, Faults& faults) const {
  const auto number = integral(value);
  if (!number) return faults.add(place.pointer(), "must be " + type_names());
  if (auto fault = fault_of_integer(*number)) faults.add(place.pointer(), std::move(*fault));
}

std::optional<std::string> Schema::fault_of_text(std::string_view text) const {
  if (max_bytes_ && text.size() > *max_bytes_) {
    return fmt::format("must not be longer than {} bytes of UTF-8; it has {}", *max_bytes_, text.size());
  }
  if (max_length_ && text.size() > *max_length_ && count_characters(text) > *max_length_) {
    return fmt::format("must not be longer than {}", plural(*max_length_, "character"));
  }
  if (min_length_ && text.size() < *min_length_ * 4 && count_characters(text) < *min_length_) {
    return text.empty() ? "must not be empty" : fmt::format("must have at least {}", plural(*min_length_, "character"));
  }
  if (no_nul_ && text.find('\0') != std::string_view::npos) return "must not contain U+0000";
  if (no_control_chars_ && has_control_characters(text)) return "must not contain control characters";
  if (visible_ascii_ && !is_visible_ascii(text)) return "must consist of visible ASCII characters, ! to ~";
  if (date_time_ && !parse_rfc3339(text)) return "must be an RFC 3339 time such as 2026-01-31T12:00:00.000Z";
  if (!enum_.empty() && std::ranges::find(enum_, text) == enum_.end()) return "must be " + quoted_list(enum_);
  if (std::ranges::find(forbidden_, text) != forbidden_.end()) return "must not be " + quoted_list(forbidden_);
  if (pattern_ && !std::regex_search(text.begin(), text.end(), *pattern_, std::regex_constants::match_continuous)) {
    return "must match " + pattern_text_;
  }
  return std::nullopt;
}

std::optional<std::string> Schema::fault_of_integer(std::int64_t number) const {
  const bool below = minimum_ && number < *minimum_, above = maximum_ && number > *maximum_;
  if (!below && !above) return std::nullopt;
  if (minimum_ && maximum_) return fmt::format("must be from {} to {}", *minimum_, *maximum_);
  if (below) return fmt::format("must be at least {}", *minimum_);
  return fmt::format("must be at most {}", *maximum_);
}

void Schema::check_array(const json::array& array, const Place& place, Faults& faults) const {
  if (max_items_ && array.size() > *max_items_) {
    return faults.add(place.pointer(),
                      fmt::format("must not have more than {}; it has {}", plural(*max_items_, "item"), array.size()));
  }
  if (min_items_ && array.size() < *min_items_) {
    faults.add(place.pointer(), fmt::format("must have at least {}", plural(*min_items_, "item")));
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < array.size() && !faults.full(); ++i) {
    const Place element{&place, {}, i};
    if (items_) items_->check(array[i], element, faults);
    if (!unique_items_ || !array[i].is_string()) continue;
    if (!seen.insert(std::string_view(array[i].get_string())).second) {
      faults.add(element.pointer(), "must not be given twice");
    }
  }
}

void Schema::check_object(const json::object& object, const Place& place, Faults& faults) const {
  if (max_properties_ && object.size() > *max_properties_) {
    faults.add(place.pointer(),
               fmt::format("must not have more than {} members; it has {}", *max_properties_, object.size()));
  }
  std::size_t known = 0;
  for (const Property& property : properties_) {
    const json::value* value = object.if_contains(property.name);
    const Place member{&place, property.name};
    if (value != nullptr) {
      ++known;
      property.schema->check(*value, member, faults);
    } else if (property.required) {
      faults.add(member.pointer(), "is required");
    }
  }
  if (!additional_properties_ && known != object.size()) {
    for (const auto& member : object) {
      if (faults.full()) break;
      const auto same = [&](const Property& p) { return p.name == std::string_view(member.key()); };
      if (std::ranges::none_of(properties_, same)) {
        faults.add(Place{&place, member.key()}.pointer(), "is not a field of this request");
      }
    }
  }
  if (no_nul_ && holds_nul(object)) faults.add(place.pointer(), "must not contain U+0000 in any key or string");
  if (max_bytes_) {
    const std::size_t size = canonical_json(object).size();
    if (size > *max_bytes_) {
      faults.add(place.pointer(),
                 fmt::format("must not be longer than {} bytes as compact JSON; it has {}", *max_bytes_, size));
    }
  }
}

std::optional<json::value> Schema::read_text(std::string_view text, const std::string& path, Faults& faults) const {
  std::optional<std::string> fault;
  json::value value;
  if (types_ & kInteger) {
    const bool negative = text.starts_with('-');
    const auto digits = parse_u64(negative ? text.substr(1) : text);
    if (!digits) {
      fault = "must be " + type_names();
    } else {
      const auto number = static_cast<std::int64_t>(std::min<std::uint64_t>(*digits, INT64_MAX));
      value = negative ? -number : number;
      fault = fault_of_integer(value.get_int64());
    }
  } else if (types_ & kBoolean) {
    if (text == "true" || text == "false") {
      value = text == "true";
    } else {
      fault = "must be true or false";
    }
  } else {
    fault = is_valid_utf8(text) ? fault_of_text(text) : std::optional<std::string>("must be valid UTF-8");
    value = json::string(text);
  }
  if (!fault) return value;
  faults.add(path, std::move(*fault));
  return std::nullopt;
}

std::string Schema::type_names() const {
  static constexpr std::pair<Type, const char*> kNames[] = {{kString, "a string"},       {kInteger, "a whole number"},
                                                            {kBoolean, "true or false"}, {kArray, "an array"},
                                                            {kObject, "an object"},      {kNull, "null"}};
  std::vector<std::string> names;
  for (const auto& [type, name] : kNames) {
    if (types_ & type) names.emplace_back(name);
  }
  return quoted_list(names);
}

}  // namespace parley::http::openapi
