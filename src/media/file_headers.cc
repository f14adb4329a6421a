#include "media/file_headers.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "http/digest_fields.h"
#include "http/validators.h"
#include "media/content_type.h"
#include "media/json_encoding.h"

namespace parley::media {

namespace {

// Nothing may be loaded or run; a browser's own page around a picture or a film is made of the last three.
constexpr std::string_view kPolicy =
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'";

// A page of our origin might be made to name a file as its script or style sheet, which no disposition prevents; under
// nosniff browsers take for one only what is called so.
bool may_be_loaded_as_code(std::string_view content_type) {
  constexpr std::array<std::string_view, 5> kNamed = {"javascript", "ecmascript", "jscript", "livescript", "css"};
  return std::ranges::any_of(kNamed, [content_type](std::string_view name) { return content_type.contains(name); });
}

}  // namespace

std::string entity_tag(const File& file) {
  return '"' + hex_encode(file.sha256) + '"';
}

std::string entity_tag(const File& file, ThumbnailSize size) {
  return "W/\"" + hex_encode(file.sha256) + '-' + std::string(to_string(size)) + '"';
}

std::string served_type(const File& file) {
  if (may_be_loaded_as_code(file.content_type)) return std::string(kUnknownType);
  return file.content_type == "text/plain" ? "text/plain; charset=utf-8" : file.content_type;
}

void add_cache_headers(http::HeaderText& headers, std::string_view etag) {
  headers.add("ETag", etag);
  headers.add("Cache-Control", "private, no-cache");
}

void add_safety_headers(http::HeaderText& headers, bool elsewhere) {
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("Content-Security-Policy", kPolicy);
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Resource-Policy", elsewhere ? "cross-origin" : "same-origin");
}

std::string disposition_of(const File& file, Shown shown) {
  const bool is_inline = shown.disposition == http::Disposition::kInline && is_safe_inline(file.content_type);
  return http::format_content_disposition(is_inline ? http::Disposition::kInline : http::Disposition::kAttachment,
                                          file.filename);
}

void add_file_headers(http::HeaderText& headers, const File& file, std::string_view etag, Shown shown) {
  add_cache_headers(headers, etag);
  headers.add("Last-Modified", http::format_http_date(file.created_at));
  headers.add("Accept-Ranges", "bytes");
  headers.add("Repr-Digest", http::repr_digest(file.sha256));
  headers.add("Content-Disposition", disposition_of(file, shown));
  add_safety_headers(headers, shown.elsewhere);
}

}  // namespace parley::media
