// Content-Disposition: how a content is to be shown and what its name is (RFC 6266, RFC 8187; in forms RFC 7578). Pure,
// any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::http {

enum class Disposition : std::uint8_t { kInline, kAttachment };

// The field's value: a plain name as filename="…", any other also as filename*, with what every client understands
// beside it. `filename` is UTF-8; control characters in it become `_`.
std::string format_content_disposition(Disposition disposition, std::string_view filename);

struct ContentDisposition {
  std::string type;                     // "form-data", "attachment", in lower case
  std::optional<std::string> name;      // of a form's field
  std::optional<std::string> filename;  // filename* before filename; as sent: it may be a path, or anything
};

// nullopt when it is malformed. Texts are valid UTF-8 in the end: what is none becomes U+FFFD.
std::optional<ContentDisposition> parse_content_disposition(std::string_view value);
// The same of a form's part: browsers and curl write %22, %0D and %0A for what they cannot put in quotes (the HTML
// standard, "multipart form data"), and here that is what they mean.
std::optional<ContentDisposition> parse_form_disposition(std::string_view value);

}  // namespace parley::http
