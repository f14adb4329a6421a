// JsonWriter: compact JSON written straight to a string, for answers whose shape is known; a tree is built nowhere. The
// caller opens and closes in order; keys are literals of ours and need no escaping, strings are valid UTF-8. Any
// thread.
#pragma once
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace parley {

class JsonWriter {
 public:
  // Appends to `out`, which must outlive this.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& number(std::int64_t value);
  JsonWriter& number(double value);  // finite
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& time(WallTime value);  // RFC 3339, UTC, milliseconds
  // Text that is a JSON value already.
  JsonWriter& raw(std::string_view json);

  // With null for none.
  JsonWriter& string(const std::optional<std::string>& text) { return text ? string(std::string_view(*text)) : null(); }
  JsonWriter& string(const char* text) { return string(std::string_view(text)); }
  JsonWriter& string(const std::string& text) { return string(std::string_view(text)); }
  JsonWriter& time(const std::optional<WallTime>& value) { return value ? time(*value) : null(); }

 private:
  void separate() {
    if (comma_) out_ += ',';
    comma_ = true;
  }
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);

  std::string& out_;
  bool comma_ = false;
};

// One text for all spellings of one value: compact, members in the order of their keys' bytes, numbers as short as they
// can be told apart. What is stored and compared of a client's own JSON.
std::string canonical_json(const boost::json::value& value);

}  // namespace parley
