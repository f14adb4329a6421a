// The concatenation of tus: partial uploads, brought at the same time perhaps, become one file.
#include <algorithm>
#include <set>

#include "base/text.h"
#include "media/handler_parts.h"
#include "media/tus_concat.h"
#include "media/tus_fields.h"
#include "media/tus_parts.h"
#include "media/upload_engine.h"
#include "media/upload_progress.h"

namespace parley::media {

namespace {

std::unexpected<Error> bad_concat(std::string message) {
  return invalid_field("header.Upload-Concat", std::move(message));
}

struct Whole {
  std::uint64_t size = 0;
  std::uint64_t reserved = 0;  // by its parts, each of which may stand in it several times
};

// Every one must be the caller's, partial, and there to its end. None of them expires before the whole does.
Task<Result<Whole>> whole_of(Call& call, const std::vector<FileId>& partials) {
  const WallTime expiry = call.media.clock.wall_now() + call.media.uploads.limits().expiry;
  Whole whole;
  std::set<FileId> counted;
  for (const FileId& id : partials) {
    const auto upload = co_await call.media.uploads.find(call.caller, id, call.exchange.due());
    if (!upload && upload.error().kind != ErrorKind::kNotFound) co_return fail(upload.error());
    if (!upload || upload->kind != UploadKind::kTusPartial) {
      co_return bad_concat("names an upload that is not there, or is not partial");
    }
    if (!is_all_present(*upload)) co_return incomplete(*upload);
    if (upload->expires_at < expiry) {
      const auto kept = co_await call.media.store.add_part({upload->tenant, id, {}, expiry}, call.exchange.due());
      if (!kept) co_return fail(kept.error());
    }
    whole.size += *upload->size;
    if (counted.insert(id).second) whole.reserved += upload->reserved;
  }
  co_return whole;
}

}  // namespace

Answer concatenate_tus_uploads(Call& call, std::string concat) {
  const http::Request& request = call.exchange.request;
  if (size_parameter(call, "Upload-Length") || call.request.find_integer("Upload-Defer-Length")) {
    co_return invalid_field("header.Upload-Length", "is that of the partial uploads together, and not to be said");
  }
  if (request.body->size() != 0U) {
    co_return fail(ErrorKind::kForbidden, "forbidden", "An upload that others are concatenated to takes no bytes.");
  }
  const std::string_view metadata = call.request.find_text("Upload-Metadata").value_or("");
  auto named = parse_tus_metadata(metadata);
  if (!named) co_return fail(named.error());
  const std::vector<FileId> partials = partials_of(concat);
  if (partials.empty()) co_return bad_concat("names no upload");
  const auto whole = co_await whole_of(call, partials);
  if (!whole) co_return fail(whole.error());

  // What the partial ones reserved becomes the file's.
  const auto upload =
      co_await call.media.uploads.begin({.tenant = call.caller->tenant,
                                         .owner = call.caller->user,
                                         .kind = UploadKind::kTus,
                                         .filename = to_valid_utf8(named->filename),
                                         .declared_type = named->type.substr(0, 255),
                                         .size = whole->size,
                                         .tus_metadata = pack({std::string(metadata), concat}),
                                         .reserved = whole->size - std::min(whole->size, whole->reserved)});
  if (!upload) co_return fail(upload.error());
  // Where it takes longer, it goes on by itself.
  if (const auto finished = co_await call.media.uploads.finish(*upload, call.exchange.due()); !finished) {
    co_await call.media.uploads.discard(*upload);
    co_return fail(finished.error());
  }
  co_return tus_created(*upload);
}

}  // namespace parley::media
