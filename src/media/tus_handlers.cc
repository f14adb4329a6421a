// The handlers of tus 1.0.0: the core protocol, creation (with upload, with deferred length), expiration, checksum,
// termination. Concatenation is in tus_concatenation.cc.
#include "base/text.h"
#include "http/problem.h"
#include "http/validators.h"
#include "media/handler_parts.h"
#include "media/tus_concat.h"
#include "media/tus_fields.h"
#include "media/tus_parts.h"
#include "media/upload_engine.h"
#include "media/upload_progress.h"

namespace parley::media {

namespace {

constexpr ByteRange kEverything{0, UINT64_MAX};

bool is_tus(const Upload& upload) {
  return upload.kind == UploadKind::kTus || upload.kind == UploadKind::kTusPartial;
}

// The caller's own, and one of tus.
Task<Result<Upload>> own_tus_upload(const Call& call) {
  auto upload = co_await own_upload(call);
  if (upload && !is_tus(*upload)) co_return not_found("upload");
  co_return upload;
}

// Every answer names the version, and a request must (but for OPTIONS).
Answer answer_tus(Call& call, Answer (*handle)(Call& call)) {
  Result<http::Response> answer =
      fail(ErrorKind::kPreconditionFailed, "unsupported_tus_version", "Tus-Resumable must be 1.0.0.");
  if (call.request.find_text("Tus-Resumable") == kTusVersion) answer = co_await handle(call);
  if (!answer && answer.error().code == "checksum_mismatch") answer.error().kind = ErrorKind::kChecksumMismatch;
  http::Response response =
      answer ? std::move(*answer) : http::problem_response(answer.error(), call.exchange.request_id);
  response.headers.add("Tus-Resumable", kTusVersion);
  if (response.status == 412) response.headers.add("Tus-Version", kTusVersion);
  co_return response;
}

std::unexpected<Error> too_large(const Call& call) {
  return fail(ErrorKind::kTooLarge, "payload_too_large",
              "A file may have at most " + std::to_string(call.media.uploads.limits().max_file_bytes) + " bytes.");
}

Result<> expect_tus_body(const http::Fields& fields) {
  if (auto plain = expect_plain_bytes(fields); !plain) return plain;
  if (type_name(fields) == kTusContentType) return {};
  return fail(ErrorKind::kUnsupportedMediaType, "unsupported_media_type",
              "The Content-Type must be " + std::string(kTusContentType) + ".");
}

// The size that the request gives an upload which began without.
Task<Result<Upload>> say_size(Call& call, Upload upload) {
  const auto size = size_parameter(call, "Upload-Length");
  if (!size) co_return upload;
  if (upload.complete) {
    if (*size == upload.size) co_return upload;
    co_return fail(ErrorKind::kConflict, "upload_size_known", "The upload's size has been said, and was another.");
  }
  if (*size > call.media.uploads.limits().max_file_bytes) co_return too_large(call);
  if (*size < front_end(upload)) co_return invalid_field("header.Upload-Length", "is less than what has come already");
  co_return co_await call.media.store.set_upload_size(upload.tenant, upload.id, *size, call.exchange.due());
}

// Of an upload that became a file now, or whose bytes all came: a partial one stays as it is.
Task<Result<>> finish_if_whole(Call& call, const Upload& upload) {
  if (upload.complete || upload.kind != UploadKind::kTus || !is_all_present(upload)) co_return Result<>{};
  // Where it takes longer, it goes on by itself.
  const auto file = co_await call.media.uploads.finish(upload, call.exchange.due());
  if (!file) co_return fail(file.error());
  co_return Result<>{};
}

struct Brought {
  Upload upload;
  std::uint64_t offset = 0;
};

// The body's bytes, from the offset on that the request names.
Task<Result<Brought>> bring(Call& call, FileId id, std::uint64_t offset) {
  auto expected = parse_tus_checksum(call.request.find_text("Upload-Checksum"));
  if (!expected) co_return fail(expected.error());
  http::Body& body = *call.exchange.request.body;
  UploadEngine& uploads = call.media.uploads;
  auto turn = co_await uploads.take_turn(id, kEverything, body);
  if (!turn) co_return fail(turn.error());
  auto upload = co_await uploads.find(call.caller, id, call.exchange.due());  // since nobody else brings bytes
  if (upload) upload = co_await say_size(call, std::move(*upload));
  if (!upload) co_return fail(upload.error());
  const std::uint64_t front = front_end(*upload);
  if (front != offset) {
    co_return fail(ErrorKind::kConflict, "upload_offset_mismatch",
                   "The upload goes on at " + std::to_string(front) + ".");
  }
  const std::uint64_t end = upload->size.value_or(uploads.limits().max_file_bytes);
  auto brought = co_await uploads.bring(*turn, {.upload = std::move(*upload),
                                                .range = {offset, std::max(end, offset)},
                                                .body = body,
                                                .expected = std::move(*expected)});
  if (!brought) co_return fail(brought.error());
  co_return Brought{std::move(brought->upload), brought->end};
}

Answer begin_and_bring(Call& call, Upload upload) {
  UploadEngine& uploads = call.media.uploads;
  auto brought = co_await bring(call, upload.id, 0);
  // Nobody knows of it yet, so nobody could go on with it.
  if (!brought) {
    (void)co_await uploads.abort(std::move(upload));
    co_return fail(brought.error());
  }
  if (auto finished = co_await finish_if_whole(call, brought->upload); !finished) co_return fail(finished.error());
  http::Response response = tus_created(brought->upload);
  response.headers.add("Upload-Offset", std::to_string(brought->offset));
  co_return response;
}

Answer create(Call& call) {
  const http::Request& request = call.exchange.request;
  const std::string concat(call.request.find_text("Upload-Concat").value_or(""));
  if (concat.starts_with("final;")) co_return co_await concatenate_tus_uploads(call, concat);
  if (!concat.empty() && concat != "partial") {
    co_return invalid_field("header.Upload-Concat", "must be partial, or final; and addresses of partial uploads");
  }
  const auto size = size_parameter(call, "Upload-Length");
  const bool deferred = call.request.find_integer("Upload-Defer-Length").has_value();
  if (size && deferred) co_return invalid_field("header.Upload-Defer-Length", "cannot stand beside Upload-Length");
  if (!size && !deferred) co_return invalid_field("header.Upload-Length", "is required, or Upload-Defer-Length: 1");
  const std::string_view metadata = call.request.find_text("Upload-Metadata").value_or("");
  auto named = parse_tus_metadata(metadata);
  if (!named) co_return fail(named.error());
  const bool has_body = request.body->size() != 0U;
  if (has_body) {
    if (auto taken = expect_tus_body(request.fields); !taken) co_return fail(taken.error());
  }

  auto upload = co_await call.media.uploads.begin({.tenant = call.caller->tenant,
                                                   .owner = call.caller->user,
                                                   .kind = concat.empty() ? UploadKind::kTus : UploadKind::kTusPartial,
                                                   .filename = to_valid_utf8(named->filename),
                                                   .declared_type = named->type.substr(0, 255),
                                                   .size = size,
                                                   .tus_metadata = pack({std::string(metadata), concat})});
  if (!upload) co_return fail(upload.error());
  if (has_body) co_return co_await begin_and_bring(call, std::move(*upload));
  if (auto finished = co_await finish_if_whole(call, *upload); !finished) co_return fail(finished.error());
  co_return tus_created(*upload);
}

Answer look(Call& call) {
  auto upload = co_await own_tus_upload(call);
  if (!upload) co_return fail(upload.error());
  if (!upload->complete) {
    // Whoever still brings bytes ends first: its connection may be dead, and what it brought counts.
    const auto turn = co_await call.media.uploads.interrupt(upload->id);
    if (!turn) co_return fail(turn.error());
    upload = co_await own_tus_upload(call);
    if (!upload) co_return fail(upload.error());
  }
  // A crash may have come between the last byte and the file. It is finished without this answer, which is to come
  // soon.
  const bool concatenated = !partials_of(*upload).empty();
  const bool whole = concatenated || (upload->kind == UploadKind::kTus && is_all_present(*upload));
  if (whole && !upload->complete) call.media.uploads.take_up(*upload);

  http::Response response = empty_response(200);
  const TusFields fields = unpack_tus_fields(upload->tus_metadata);
  if (!concatenated || upload->complete) response.headers.add("Upload-Offset", std::to_string(front_end(*upload)));
  if (upload->size) response.headers.add("Upload-Length", std::to_string(*upload->size));
  if (!upload->size) response.headers.add("Upload-Defer-Length", "1");
  if (!fields.metadata.empty()) response.headers.add("Upload-Metadata", fields.metadata);
  if (!fields.concat.empty()) response.headers.add("Upload-Concat", fields.concat);
  response.headers.add("Upload-Expires", http::format_http_date(upload->expires_at));
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

Answer go_on(Call& call) {
  if (auto taken = expect_tus_body(call.exchange.request.fields); !taken) co_return fail(taken.error());
  const auto offset = size_parameter(call, "Upload-Offset");
  if (!offset) co_return invalid_field("header.Upload-Offset", "is required");
  const auto upload = co_await own_tus_upload(call);
  if (!upload) co_return fail(upload.error());
  if (!partials_of(*upload).empty()) {
    co_return fail(ErrorKind::kForbidden, "forbidden", "An upload that others were concatenated to takes no bytes.");
  }
  const auto brought = co_await bring(call, upload->id, *offset);
  if (!brought) co_return fail(brought.error());
  if (auto finished = co_await finish_if_whole(call, brought->upload); !finished) co_return fail(finished.error());
  http::Response response = empty_response(204);
  response.headers.add("Upload-Offset", std::to_string(brought->offset));
  response.headers.add("Upload-Expires", http::format_http_date(brought->upload.expires_at));
  co_return response;
}

Answer end(Call& call) {
  const auto upload = co_await own_tus_upload(call);
  if (!upload) co_return fail(upload.error());
  co_return co_await abort_upload(call);
}

}  // namespace

http::Response tus_created(const Upload& upload) {
  http::Response response = empty_response(201);
  response.headers.add("Location", "tus/" + upload.id.value);
  response.headers.add("Upload-Expires", http::format_http_date(upload.expires_at));
  return response;
}

Answer get_tus_options(Call& call) {
  http::Response response = empty_response(204);
  response.headers.add("Tus-Resumable", kTusVersion);
  response.headers.add("Tus-Version", kTusVersion);
  response.headers.add("Tus-Extension", kTusExtensions);
  response.headers.add("Tus-Max-Size", std::to_string(call.media.uploads.limits().max_file_bytes));
  response.headers.add("Tus-Checksum-Algorithm", kTusAlgorithms);
  co_return response;
}

Answer create_tus_upload(Call& call) {
  return answer_tus(call, create);
}

Answer get_tus_upload(Call& call) {
  return answer_tus(call, look);
}

Answer continue_tus_upload(Call& call) {
  return answer_tus(call, go_on);
}

Answer end_tus_upload(Call& call) {
  return answer_tus(call, end);
}

Answer override_tus_method(Call& call) {
  const std::string_view method = call.request.text("X-HTTP-Method-Override");
  if (method == "PATCH") return answer_tus(call, go_on);
  if (method == "DELETE") return answer_tus(call, end);
  return answer_tus(call, look);
}

}  // namespace parley::media
