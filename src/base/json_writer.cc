#include "base/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace parley {

namespace {

constexpr char kHex[] = "0123456789abcdef";

// Whether a byte cannot stand in a JSON string as it is.
constexpr std::array<bool, 256> kNeedsEscape = [] {
  std::array<bool, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[static_cast<std::size_t>(c)] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += kHex[static_cast<unsigned char>(c) >> 4];
  out += kHex[static_cast<unsigned char>(c) & 15];
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!kNeedsEscape[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, plain, i - plain);
    append_escaped(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

// `value` with exactly `digits` digits, at `at`.
void put_digits(char* at, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i, value /= 10) at[i] = static_cast<char>('0' + value % 10);
}

void append_canonical(JsonWriter& writer, const boost::json::value& value) {
  using boost::json::kind;
  switch (value.kind()) {
    case kind::null:
      writer.null();
      return;
    case kind::bool_:
      writer.boolean(value.get_bool());
      return;
    case kind::int64:
      writer.number(value.get_int64());
      return;
    case kind::uint64:
      writer.raw(std::to_string(value.get_uint64()));
      return;
    case kind::double_:
      writer.number(value.get_double());
      return;
    case kind::string:
      writer.string(std::string_view(value.get_string()));
      return;
    case kind::array:
      writer.begin_array();
      for (const auto& element : value.get_array()) append_canonical(writer, element);
      writer.end_array();
      return;
    case kind::object: {
      std::vector<const boost::json::key_value_pair*> members;
      for (const auto& member : value.get_object()) members.push_back(&member);
      std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
      writer.begin_object();
      for (const auto* member : members) {
        std::string key;
        append_quoted(key, member->key());
        writer.key(std::string_view(key).substr(1, key.size() - 2));
        append_canonical(writer, member->value());
      }
      writer.end_object();
    }
  }
}

}  // namespace

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += '"';
  out_.append(name);
  out_ += "\":";
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  append_quoted(out_, text);
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return raw({text, static_cast<std::size_t>(end - text)});
}

JsonWriter& JsonWriter::number(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return raw({text, static_cast<std::size_t>(end - text)});
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

JsonWriter& JsonWriter::time(WallTime value) {
  const auto day = std::chrono::floor<std::chrono::days>(value);
  const std::chrono::year_month_day date(day);
  const auto ms = static_cast<unsigned>((value - day).count());
  char text[] = "\"0000-00-00T00:00:00.000Z\"";
  put_digits(text + 1, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  put_digits(text + 6, static_cast<unsigned>(date.month()), 2);
  put_digits(text + 9, static_cast<unsigned>(date.day()), 2);
  put_digits(text + 12, ms / 3'600'000, 2);
  put_digits(text + 15, ms / 60'000 % 60, 2);
  put_digits(text + 18, ms / 1000 % 60, 2);
  put_digits(text + 21, ms % 1000, 3);
  return raw({text, sizeof text - 1});
}

std::string canonical_json(const boost::json::value& value) {
  std::string text;
  JsonWriter writer(text);
  append_canonical(writer, value);
  return text;
}

}  // namespace parley
