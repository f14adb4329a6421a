#include "http/field_parameters.h"

#include <algorithm>

#include "base/text.h"

namespace parley::http {

namespace {

bool is_token_character(char c) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

void skip_blanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return lower;
}

// Takes the longest run of bytes that `belongs` says belong together off `text`.
template <class Belongs>
std::string_view take_while(std::string_view& text, Belongs belongs) {
  const auto end = std::find_if_not(text.begin(), text.end(), belongs);
  const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

// Takes a quoted string, whose opening quote is off already.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string unquoted;
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return unquoted;
    if (is_control(c)) return std::nullopt;
    if (c == '\\' && (text.starts_with('"') || text.starts_with('\\'))) {
      c = text.front();
      text.remove_prefix(1);
    }
    unquoted += c;
  }
  return std::nullopt;
}

// A token; what is not ASCII is let pass, for some clients send names so.
std::optional<std::string> take_bare(std::string_view& text) {
  const std::string_view taken =
      take_while(text, [](char c) { return is_token_character(c) || static_cast<unsigned char>(c) >= 0x80; });
  if (taken.empty()) return std::nullopt;
  return std::string(taken);
}

}  // namespace

const std::string* ParameterizedValue::find(std::string_view name) const {
  for (const auto& [key, text] : parameters) {
    if (key == name) return &text;
  }
  return nullptr;
}

std::optional<ParameterizedValue> parse_parameterized(std::string_view text) {
  ParameterizedValue parsed;
  skip_blanks(text);
  parsed.value = lower_case(take_while(text, [](char c) { return is_token_character(c) || c == '/'; }));
  if (parsed.value.empty()) return std::nullopt;
  for (;;) {
    skip_blanks(text);
    if (text.empty()) return parsed;
    if (!text.starts_with(';')) return std::nullopt;
    text.remove_prefix(1);
    skip_blanks(text);
    if (text.empty() || text.starts_with(';')) continue;
    std::string name = lower_case(take_while(text, is_token_character));
    if (name.empty() || !text.starts_with('=') || parsed.find(name) != nullptr) return std::nullopt;
    text.remove_prefix(1);
    const bool quoted = text.starts_with('"');
    if (quoted) text.remove_prefix(1);
    std::optional<std::string> value = quoted ? take_quoted(text) : take_bare(text);
    if (!value) return std::nullopt;
    parsed.parameters.emplace_back(std::move(name), std::move(*value));
  }
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

}  // namespace parley::http
