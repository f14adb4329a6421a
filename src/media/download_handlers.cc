// The handlers that send the bytes of files and of their thumbnails.
#include "base/text.h"
#include "http/byte_ranges.h"
#include "http/problem.h"
#include "http/validators.h"
#include "media/byte_ranges_body.h"
#include "media/file_headers.h"
#include "media/file_rights.h"
#include "media/handler_parts.h"
#include "media/json_encoding.h"
#include "media/media_metrics.h"
#include "media/thumbnail_frames.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

// So much goes out with the head, in one piece; what is longer is sent from its file.
constexpr std::uint64_t kSmallBytes = 16 * 1024;
constexpr std::size_t kUsualHeadBytes = 768;

http::Response not_modified(std::string_view etag) {
  http::Response response = empty_response(304);
  add_cache_headers(response.headers, etag);
  return response;
}

http::Response unsatisfiable(const Call& call, const File& file) {
  const Error error{ErrorKind::kRangeNotSatisfiable,
                    "range_not_satisfiable",
                    "The file has " + std::to_string(file.size) + " bytes, and none in that range.",
                    {},
                    {}};
  http::Response response = http::problem_response(error, call.exchange.request_id);
  response.headers.add("Content-Range", http::unsatisfied_content_range(file.size));
  response.headers.add("Accept-Ranges", "bytes");
  return response;
}

std::unexpected<Error> object_lost(const FileId& id, std::string_view what) {
  log_error("the object of a file cannot be sent", {{"file", id.value}, {"error", what}});
  return unavailable_but_well("unavailable", "The bytes of this file cannot be read.", std::chrono::seconds(60));
}

Task<Result<std::unique_ptr<BlobReader>>> open_object(const Call& call, const File& file) {
  auto reader = co_await call.media.blobs.open(file.id, call.deadline);
  if (!reader && reader.error().kind == ErrorKind::kNotFound) co_return object_lost(file.id, "it is missing");
  if (reader && (*reader)->size() != file.size) co_return object_lost(file.id, "it is not of the file's size");
  co_return reader;
}

void count_when_sent(const Call& call, http::Response& response) {
  response.on_sent = [&metrics = call.media.metrics](std::uint64_t bytes, bool complete) {
    metrics.sent(bytes, complete);
  };
}

// One range, the whole too.
Task<Result<>> put_range(std::unique_ptr<BlobReader> reader, ByteRange range, http::Response& response) {
  std::unique_ptr<http::Body> body = range_body(std::move(reader), range);
  if (range.length() > kSmallBytes) {
    response.stream = std::move(body);
    co_return Result<>();
  }
  Result<std::string> bytes = co_await http::read_all(*body, range.length());
  if (!bytes) co_return fail(std::move(bytes.error()));
  response.body = std::move(*bytes);
  co_return Result<>();
}

// No uploader can put into a file what is made of the file's own digest.
ByteRangesForm form_of(const File& file, std::string type) {
  return {.boundary = "parley-" + hex_encode(std::span(file.sha256).first(16)),
          .content_type = std::move(type),
          .whole_size = file.size};
}

// The fields that say what comes. For a HEAD, Range counts for nothing, so that it is the whole.
http::Response head_of(const File& file, std::string_view etag, Shown shown, const http::RangeAnswer& asked) {
  http::Response response;
  response.headers.reserve(kUsualHeadBytes);
  if (asked.parts.size() > 1) {
    response.headers.add("Content-Type", form_of(file, {}).field());
  } else {
    response.headers.add("Content-Type", served_type(file));
  }
  add_file_headers(response.headers, file, etag, shown);
  if (asked.kind == http::RangeAnswer::Kind::kParts) response.status = 206;
  if (asked.parts.size() == 1) {
    response.headers.add("Content-Range", http::content_range(asked.parts.front(), file.size));
  }
  return response;
}

// To where the store itself sends the bytes: rights and conditions were asked for here, ranges are not lost on the way.
http::Response sent_by_the_store(std::string address) {
  http::Response response = empty_response(307);
  response.headers.add("Location", std::move(address));
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Referrer-Policy", "no-referrer");
  return response;
}

Answer send_file(Call& call, Shown shown) {
  const Result<File> file =
      co_await call.media.rights.readable_file(reader_of(call), path_id(call, "file_id"), call.deadline);
  if (!file) co_return fail(file.error());
  const http::Request& request = call.exchange.request;
  const std::string etag = entity_tag(*file);
  if (http::is_not_modified(request, etag, file->created_at)) co_return not_modified(etag);
  const http::RangeAnswer asked = http::requested_ranges(request, file->size, etag, file->created_at);
  if (asked.kind == http::RangeAnswer::Kind::kUnsatisfiable) co_return unsatisfiable(call, *file);

  http::Response response = head_of(*file, etag, shown, asked);
  if (request.method == http::Method::kHead) {
    response.head_length = file->size;
    co_return response;
  }
  if (file->size > kSmallBytes) {
    auto address = co_await call.media.blobs.presigned_address(
        file->id, {served_type(*file), disposition_of(*file, shown)}, call.deadline);
    if (!address) co_return fail(std::move(address.error()));
    if (*address) co_return sent_by_the_store(std::move(**address));
  }
  auto reader = co_await open_object(call, *file);
  if (!reader) co_return fail(std::move(reader.error()));
  if (asked.parts.size() > 1) {
    response.stream = ranges_body(std::move(*reader), asked.parts, form_of(*file, served_type(*file)));
  } else {
    const ByteRange range = asked.parts.empty() ? ByteRange{0, file->size} : asked.parts.front();
    if (auto put = co_await put_range(std::move(*reader), range, response); !put) co_return fail(put.error());
  }
  count_when_sent(call, response);
  co_return response;
}

ThumbnailSize thumbnail_size(std::string_view text) {
  if (text == to_string(ThumbnailSize::kSmall)) return ThumbnailSize::kSmall;
  return text == to_string(ThumbnailSize::kMedium) ? ThumbnailSize::kMedium : ThumbnailSize::kLarge;
}

}  // namespace

Answer download_file(Call& call) {
  const bool is_inline = call.request.find_text("disposition") == "inline";
  return send_file(call, {.disposition = is_inline ? http::Disposition::kInline : http::Disposition::kAttachment,
                          .elsewhere = call.request.find_text("signature").has_value()});
}

Answer stream_file(Call& call) {
  return send_file(call, {.disposition = http::Disposition::kInline, .elsewhere = false});
}

Answer get_thumbnail(Call& call) {
  const ThumbnailSize size = thumbnail_size(call.request.text("size"));
  const Result<File> file =
      co_await call.media.rights.readable_file(reader_of(call), path_id(call, "file_id"), call.deadline);
  if (!file) co_return fail(file.error());
  if (std::ranges::find(file->thumbnails, size) == file->thumbnails.end()) co_return not_found("thumbnail");
  const std::string etag = entity_tag(*file, size);
  if (http::is_not_modified(call.exchange.request, etag, file->created_at)) co_return not_modified(etag);

  auto reader = co_await call.media.blobs.open_thumbnail(file->id, size, call.deadline);
  if (!reader && reader.error().kind == ErrorKind::kNotFound) co_return not_found("thumbnail");
  if (!reader) co_return fail(std::move(reader.error()));
  http::Response response;
  response.headers.reserve(kUsualHeadBytes);
  response.headers.add("Content-Type", kThumbnailType);
  add_cache_headers(response.headers, etag);
  response.headers.add("Content-Disposition", "inline");
  add_safety_headers(response.headers, false);
  const ByteRange all{0, (*reader)->size()};
  if (call.exchange.request.method == http::Method::kHead) {
    response.head_length = all.end;
    co_return response;
  }
  if (auto put = co_await put_range(std::move(*reader), all, response); !put) co_return fail(put.error());
  count_when_sent(call, response);
  co_return response;
}

}  // namespace parley::media
