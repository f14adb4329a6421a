// The handlers of uploads in chunks.
#include "base/json_writer.h"
#include "base/text.h"
#include "http/byte_ranges.h"
#include "http/digest_fields.h"
#include "media/handler_parts.h"
#include "media/tus_concat.h"
#include "media/upload_engine.h"
#include "media/upload_progress.h"

namespace parley::media {

namespace {

namespace json = boost::json;

std::string text_field(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value == nullptr ? std::string() : std::string(std::string_view(value->get_string()));
}

std::optional<Sha256> sha256_field(const json::object& body) {
  const auto bytes = hex_decode(text_field(body, "sha256"));
  Sha256 digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  bytes->copy(reinterpret_cast<char*>(digest.data()), digest.size());
  return digest;
}

std::string encode_begun(const Upload& upload) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("upload_id").string(upload.id.value);
  json.key("chunk_size").number(static_cast<std::int64_t>(upload.chunk_size));
  json.key("expires_at").time(upload.expires_at);
  json.end_object();
  return out;
}

ByteRange range_of_chunk(const Upload& upload, std::uint64_t index) {
  const std::uint64_t first = index * upload.chunk_size;
  return {first, std::min(first + upload.chunk_size, *upload.size)};
}

// Which chunk the request brings, by its index or its Content-Range.
Result<ByteRange> chunk_of(const Call& call, const Upload& upload) {
  const auto index = size_parameter(call, "index");
  const auto field = call.request.find_text("Content-Range");
  if (!index && !field) return invalid_field("query.index", "is required, or a Content-Range");
  const std::uint64_t total = count_chunks(upload).total;
  if (index && *index >= total) {
    return invalid_field("query.index", "must be less than " + std::to_string(total) + ", the number of chunks");
  }
  if (!field) return range_of_chunk(upload, *index);

  const auto sent = http::parse_content_range(*field);
  if (!sent) return invalid_field("header.Content-Range", "must be of the form: bytes 0-99/200");
  if (sent->size && *sent->size != upload.size) {
    return invalid_field("header.Content-Range", "names another size than the upload's");
  }
  const std::uint64_t at = sent->range.first / upload.chunk_size;
  if (at >= total || range_of_chunk(upload, at) != sent->range) {
    return invalid_field("header.Content-Range",
                         "must be one chunk: " + std::to_string(upload.chunk_size) + " bytes, fewer at the end");
  }
  if (index && *index != at) return invalid_field("query.index", "is another chunk than that of Content-Range");
  return sent->range;
}

Task<Result<std::optional<File>>> file_of(const Call& call, const Upload& upload) {
  if (!upload.complete) co_return std::optional<File>();
  // The time for the request may have gone into its body.
  const SteadyTime deadline = call.media.clock.steady_now() + call.media.uploads.limits().step_timeout;
  auto file = co_await call.media.store.get_file(upload.tenant, upload.id, deadline);
  if (file) co_return std::optional<File>(std::move(*file));
  if (file.error().kind == ErrorKind::kNotFound) co_return std::optional<File>();
  co_return fail(file.error());
}

Answer progress_response(const Call& call, int status, const Upload& upload) {
  const auto file = co_await file_of(call, upload);
  if (!file) co_return fail(file.error());
  co_return http::json_response(status,
                                encode_progress(upload, call.media.uploads.under_way().standing(upload.id), *file));
}

}  // namespace

Answer begin_upload(Call& call) {
  const json::object& body = call.request.body();
  auto begun =
      co_await call.media.uploads.begin({.tenant = call.caller->tenant,
                                         .owner = call.caller->user,
                                         .kind = UploadKind::kChunked,
                                         .filename = text_field(body, "filename"),
                                         .declared_type = text_field(body, "content_type"),
                                         .size = static_cast<std::uint64_t>(body.at("size").to_number<std::int64_t>()),
                                         .expected_sha256 = sha256_field(body)});
  if (!begun) co_return fail(begun.error());
  http::Response response = http::json_response(201, encode_begun(*begun));
  response.headers.add("Location", "chunk/" + begun->id.value);
  co_return response;
}

Answer put_chunk(Call& call) {
  const http::Request& request = call.exchange.request;
  auto upload = co_await own_upload(call);
  if (!upload) co_return fail(upload.error());
  if (upload->kind != UploadKind::kChunked) co_return not_found("upload");
  if (auto plain = expect_plain_bytes(request.fields); !plain) co_return fail(plain.error());
  if (type_name(request.fields) == "multipart/form-data") {
    co_return fail(ErrorKind::kUnsupportedMediaType, "unsupported_media_type",
                   "A chunk is the body as it is, not a form: application/octet-stream.");
  }
  const auto range = chunk_of(call, *upload);
  if (!range) co_return fail(range.error());
  auto expected = http::digest_fields(request.fields);
  if (!expected) co_return fail(expected.error());

  auto turn = co_await call.media.uploads.take_turn(upload->id, *range, *request.body);
  if (!turn) co_return fail(turn.error());
  upload = co_await own_upload(call);  // as it is, now that nobody else brings this chunk
  if (!upload) co_return fail(upload.error());
  auto brought = co_await call.media.uploads.bring(*turn, {.upload = std::move(*upload),
                                                           .range = *range,
                                                           .exact = true,
                                                           .body = *request.body,
                                                           .expected = std::move(*expected)});
  if (!brought) co_return fail(brought.error());
  co_return co_await progress_response(call, 200, brought->upload);
}

Answer complete_upload(Call& call) {
  auto upload = co_await own_upload(call);
  if (!upload) co_return fail(upload.error());
  if (upload->kind == UploadKind::kTusPartial) co_return not_found("upload");
  if (upload->complete) {
    const auto file = co_await call.media.store.get_file(upload->tenant, upload->id, call.deadline);
    if (!file) co_return fail(file.error());
    co_return file_response(200, *file, {});
  }
  if (!is_all_present(*upload) && partials_of(*upload).empty()) co_return incomplete(*upload);
  const auto file = co_await call.media.uploads.finish(*upload, call.deadline);
  if (!file) co_return fail(file.error());
  if (*file) co_return file_response(201, **file, "../../files/");
  http::Response response = http::json_response(
      202, encode_progress(*upload, call.media.uploads.under_way().standing(upload->id), std::nullopt));
  response.headers.add("Retry-After", "1");
  co_return response;
}

Answer abort_upload(Call& call) {
  auto upload = co_await own_upload(call);
  if (!upload) co_return fail(upload.error());
  const auto gone = co_await call.media.uploads.abort(std::move(*upload));
  if (!gone) co_return fail(gone.error());
  if (!*gone) co_return not_found("upload");
  co_return empty_response();
}

}  // namespace parley::media
