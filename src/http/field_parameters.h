// Field values of the form `value; name=text; other="quoted text"`: media types, content dispositions (RFC 9110
// section 5.6.6). Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley::http {

struct ParameterizedValue {
  std::string value;  // in lower case
  // Names in lower case, each once; texts without their quotes.
  std::vector<std::pair<std::string, std::string>> parameters;

  // nullptr when there is none of that name.
  const std::string* find(std::string_view name) const;
};

// nullopt when it is malformed or says a parameter twice. In quotes, `\` escapes `"` and `\` and stands for itself
// before anything else: some clients send "C:\file".
std::optional<ParameterizedValue> parse_parameterized(std::string_view text);

bool is_token(std::string_view text);

}  // namespace parley::http
