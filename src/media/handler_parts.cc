#include "media/handler_parts.h"

#include <algorithm>

#include "base/text.h"
#include "http/openapi/media_type.h"
#include "media/json_encoding.h"
#include "media/upload_engine.h"

namespace parley::media {

namespace {
constexpr std::size_t kMostTypeBytes = 255;
}

FileId path_id(const Call& call, std::string_view name) {
  return FileId(call.request.text(name));
}

std::optional<std::uint64_t> size_parameter(const Call& call, std::string_view name) {
  const auto number = call.request.find_integer(name);
  return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

std::string declared_type(const http::Fields& fields) {
  const std::string_view type = fields.find(http::FieldId::content_type).value_or("");
  return std::string(type.substr(0, kMostTypeBytes));
}

std::string type_name(const http::Fields& fields) {
  const auto type = fields.find(http::FieldId::content_type);
  std::string name(type ? http::openapi::parse_media_type(*type).name : std::string_view());
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return name;
}

Result<> expect_plain_bytes(const http::Fields& fields) {
  const auto coding = fields.find(http::FieldId::content_encoding);
  if (!coding || equals_ignoring_ascii_case(*coding, "identity")) return {};
  return fail(ErrorKind::kUnsupportedMediaType, "unsupported_media_type",
              "A body with a Content-Encoding is not taken here.");
}

Task<Result<Upload>> own_upload(const Call& call) {
  return call.media.uploads.find(call.caller, path_id(call, "upload_id"), call.deadline);
}

Reader reader_of(const Call& call) {
  return {call.caller->tenant, call.caller->user, call.exchange.request_id, call.exchange.traceparent};
}

http::Response empty_response(int status) {
  http::Response response;
  response.status = status;
  return response;
}

http::Response file_response(int status, const File& file, std::string_view location) {
  http::Response response = http::json_response(status, encode(file));
  if (!location.empty()) response.headers.add("Location", std::string(location) + file.id.value);
  return response;
}

}  // namespace parley::media
