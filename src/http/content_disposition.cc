#include "http/content_disposition.h"

#include "base/text.h"
#include "http/field_parameters.h"

namespace parley::http {

namespace {

// `_` in place of each control character (C0, DEL, C1), which a field cannot carry or a client should not have to see.
std::string without_controls(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    const bool c1 = rest.starts_with('\xc2') && has_control_characters(rest.substr(0, 2));
    clean += c1 || has_control_characters(rest.substr(0, 1)) ? '_' : text[i];
    if (c1) ++i;
  }
  return clean;
}

// The name for clients that do not know filename*: `_` for each character that is not ASCII, and for those that clients
// read in different ways within quotes (RFC 6266, appendix D).
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) continue;  // not the first byte of its character
    plain += byte >= 0x80 || c == '"' || c == '\\' || c == '%' ? '_' : c;
  }
  return plain;
}

// RFC 8187: UTF-8''percent-encoded. nullopt for other charsets and what is malformed.
std::optional<std::string> decode_extended(std::string_view text) {
  const std::size_t charset_end = text.find('\'');
  if (charset_end == std::string_view::npos) return std::nullopt;
  const std::size_t language_end = text.find('\'', charset_end + 1);
  if (language_end == std::string_view::npos) return std::nullopt;
  if (!equals_ignoring_ascii_case(text.substr(0, charset_end), "UTF-8")) return std::nullopt;
  std::optional<std::string> decoded = percent_decode(text.substr(language_end + 1));
  if (!decoded || !is_valid_utf8(*decoded)) return std::nullopt;
  return decoded;
}

// Undoes what the HTML standard has browsers do to names in forms, and nothing else.
void unescape_form_name(std::string& name) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    char c = name[i];
    if (c == '%') {
      const std::string_view code = std::string_view(name).substr(i + 1, 2);
      const char meant = code == "22" ? '"' : code == "0D" ? '\r' : code == "0A" ? '\n' : '\0';
      if (meant != '\0') {
        c = meant;
        i += 2;
      }
    }
    name[end++] = c;
  }
  name.resize(end);
}

}  // namespace

std::string format_content_disposition(Disposition disposition, std::string_view filename) {
  const std::string name = without_controls(filename);
  const std::string plain = plain_name(name);
  std::string value = disposition == Disposition::kInline ? "inline" : "attachment";
  value.append("; filename=\"").append(plain).append("\"");
  if (plain != name) value.append("; filename*=UTF-8''").append(percent_encode(name));
  return value;
}

std::optional<ContentDisposition> parse_content_disposition(std::string_view value) {
  std::optional<ParameterizedValue> parsed = parse_parameterized(value);
  if (!parsed || !is_token(parsed->value)) return std::nullopt;
  ContentDisposition disposition{.type = std::move(parsed->value), .name = {}, .filename = {}};
  if (const std::string* name = parsed->find("name")) disposition.name = to_valid_utf8(*name);
  if (const std::string* extended = parsed->find("filename*")) disposition.filename = decode_extended(*extended);
  if (const std::string* plain = parsed->find("filename"); plain != nullptr && !disposition.filename) {
    disposition.filename = to_valid_utf8(*plain);
  }
  return disposition;
}

std::optional<ContentDisposition> parse_form_disposition(std::string_view value) {
  std::optional<ContentDisposition> disposition = parse_content_disposition(value);
  if (!disposition) return std::nullopt;
  if (disposition->name) unescape_form_name(*disposition->name);
  if (disposition->filename) unescape_form_name(*disposition->filename);
  return disposition;
}

}  // namespace parley::http
