// POST /upload: files that come whole, in one request: all of them become files, or none.
#include "http/content_disposition.h"
#include "http/digest_fields.h"
#include "http/multipart.h"
#include "media/handler_parts.h"
#include "media/json_encoding.h"
#include "media/upload_engine.h"

namespace parley::media {

namespace {

constexpr ByteRange kEverything{0, UINT64_MAX};

// The files of one request, in its frame. Whatever ends it early, give_up() is the end of what it began.
class FilesOfRequest {
 public:
  explicit FilesOfRequest(Call& call) : call_(call), uploads_(call.media.uploads) {}

  struct Source {
    http::Body& body;
    std::string filename;
    std::string type;
    std::optional<std::uint64_t> size;
    std::vector<ExpectedDigest> expected;
  };
  // Its bytes are in a blob then.
  Task<Result<>> take(Source source);
  // All that were taken become files.
  Task<Result<std::vector<File>>> store();
  Task<> give_up();
  std::size_t taken() const { return arrived_.size(); }

 private:
  Task<Result<BroughtBytes>> bring(const Upload& upload, Source source, std::string_view first);

  Call& call_;
  UploadEngine& uploads_;
  std::vector<UploadFinisher::Bytes> arrived_;
  std::vector<File> stored_;
};

Task<Result<>> FilesOfRequest::take(Source source) {
  // Of what has no length, the first bytes say how much room is needed at once.
  std::string_view first;
  if (!source.size) {
    const auto read = co_await source.body.read();
    if (!read) co_return fail(read.error());
    first = *read;
  }
  auto upload = co_await uploads_.begin({.tenant = call_.caller->tenant,
                                         .owner = call_.caller->user,
                                         .kind = UploadKind::kWhole,
                                         .filename = std::move(source.filename),
                                         .declared_type = std::move(source.type),
                                         .size = source.size,
                                         .reserved = source.size.value_or(first.size())});
  if (!upload) co_return fail(upload.error());
  auto brought = co_await bring(*upload, std::move(source), first);
  if (!brought) {
    co_await uploads_.discard(std::move(*upload));
    co_return fail(brought.error());
  }
  arrived_.push_back({std::move(brought->upload), brought->end, *brought->sha256});
  co_return Result<>{};
}

Task<Result<BroughtBytes>> FilesOfRequest::bring(const Upload& upload, Source source, std::string_view first) {
  auto turn = co_await uploads_.take_turn(upload.id, kEverything, source.body);
  if (!turn) co_return fail(turn.error());
  std::vector<FileId> beside;
  for (const UploadFinisher::Bytes& bytes : arrived_) beside.push_back(bytes.upload.id);
  co_return co_await uploads_.bring(*turn, {.upload = upload,
                                            .range = {0, source.size.value_or(uploads_.limits().max_file_bytes)},
                                            .exact = source.size.has_value(),
                                            .body = source.body,
                                            .first = first,
                                            .expected = std::move(source.expected),
                                            .beside = std::move(beside)});
}

// Nothing is shown to anybody before every file can be.
Task<Result<std::vector<File>>> FilesOfRequest::store() {
  std::vector<UploadFinisher::Sealed> sealed;
  for (const UploadFinisher::Bytes& bytes : arrived_) {
    auto one = co_await uploads_.seal(bytes);
    if (!one) co_return fail(one.error());
    sealed.push_back(std::move(*one));
  }
  for (UploadFinisher::Sealed& one : sealed) {
    auto file = co_await uploads_.store(std::move(one));
    if (!file) co_return fail(file.error());
    stored_.push_back(std::move(*file));
  }
  arrived_.clear();
  co_return stored_;
}

Task<> FilesOfRequest::give_up() {
  for (const File& file : stored_) {
    const SteadyTime deadline = call_.media.clock.steady_now() + uploads_.limits().step_timeout;
    (void)co_await call_.media.store.delete_file(file.tenant, file.id, file.owner, deadline);
    std::erase_if(arrived_, [&file](const UploadFinisher::Bytes& bytes) { return bytes.upload.id == file.id; });
  }
  for (UploadFinisher::Bytes& bytes : arrived_) co_await uploads_.discard(std::move(bytes.upload));
}

std::string filename_of_request(const Call& call) {
  if (const auto name = call.request.find_text("filename")) return std::string(*name);
  if (const auto field = call.request.find_text("Content-Disposition")) {
    auto disposition = http::parse_content_disposition(*field);
    if (disposition && disposition->filename) return std::move(*disposition->filename);
  }
  return {};
}

Task<Result<>> take_raw(Call& call, FilesOfRequest& files) {
  const http::Request& request = call.exchange.request;
  auto expected = http::digest_fields(request.fields);
  if (!expected) co_return fail(expected.error());
  co_return co_await files.take({.body = *request.body,
                                 .filename = filename_of_request(call),
                                 .type = declared_type(request.fields),
                                 .size = request.body->size(),
                                 .expected = std::move(*expected)});
}

// A checksum of the form itself would have to be made of its framing, too. It is not, and not believed unseen.
Result<> expect_no_digest_of_form(const Call& call) {
  for (const char* name : {"Content-MD5", "Digest", "Repr-Digest", "Content-Digest"}) {
    if (call.request.find_text(name)) {
      return invalid_field(std::string("header.") + name, "cannot be that of a form; put it in each part");
    }
  }
  return {};
}

// What the request itself says of a form's only file.
std::vector<ExpectedDigest> expected_by_request(const Call& call) {
  http::Fields fields;
  const auto sha256 = call.request.find_text("X-Checksum-SHA256");
  if (sha256) fields.add("X-Checksum-SHA256", *sha256);
  return http::digest_fields(fields).value_or(std::vector<ExpectedDigest>());
}

Task<Result<>> take_part(http::MultipartReader& form, std::vector<ExpectedDigest> more, FilesOfRequest& files) {
  const http::MultipartReader::Part& part = form.part();
  auto expected = http::digest_fields(part.fields);
  if (!expected) co_return fail(expected.error());
  std::ranges::move(more, std::back_inserter(*expected));
  co_return co_await files.take({.body = form.content(),
                                 .filename = *part.filename,
                                 .type = part.content_type.substr(0, 255),
                                 .size = std::nullopt,
                                 .expected = std::move(*expected)});
}

Task<Result<>> take_form(Call& call, FilesOfRequest& files) {
  const http::Request& request = call.exchange.request;
  const auto boundary = http::multipart_boundary(*request.fields.find(http::FieldId::content_type));
  if (!boundary) co_return fail(boundary.error());
  if (auto none = expect_no_digest_of_form(call); !none) co_return none;
  const http::MultipartLimits limits;
  const std::uint64_t most =
      limits.parts * (call.media.uploads.limits().max_file_bytes + limits.head_bytes) + limits.skipped_bytes;
  if (request.body->size().value_or(0) > most) {
    co_return fail(ErrorKind::kTooLarge, "payload_too_large",
                   "A form may have at most " + std::to_string(most) + " bytes.");
  }
  const auto expected = expected_by_request(call);
  http::MultipartReader form(*request.body, *boundary, limits);
  for (;;) {
    const auto next = co_await form.next();
    if (!next) co_return fail(next.error());
    if (!*next) break;
    // Without a filename it is another field; with an empty one, a browser's user chose no file.
    if (!form.part().filename || form.part().filename->empty()) continue;
    if (files.taken() > 0 && !expected.empty()) {
      co_return invalid_field("header.X-Checksum-SHA256", "cannot be that of several files; put one in each part");
    }
    if (auto taken = co_await take_part(form, expected, files); !taken) co_return taken;
  }
  if (files.taken() == 0) {
    co_return fail(ErrorKind::kInvalid, "invalid_multipart", "The form has no part with a filename.");
  }
  co_return Result<>{};
}

}  // namespace

Answer upload_files(Call& call) {
  const http::Fields& fields = call.exchange.request.fields;
  if (auto plain = expect_plain_bytes(fields); !plain) co_return fail(plain.error());
  FilesOfRequest files(call);
  const bool is_form = type_name(fields) == "multipart/form-data";
  const Result<> taken = is_form ? co_await take_form(call, files) : co_await take_raw(call, files);
  Result<std::vector<File>> stored = std::vector<File>();
  if (taken) stored = co_await files.store();
  if (!taken || !stored) {
    co_await files.give_up();
    co_return fail(taken ? stored.error() : taken.error());
  }
  if (stored->size() == 1) co_return file_response(201, stored->front(), "files/");
  co_return http::json_response(201, encode_files(*stored));
}

}  // namespace parley::media
