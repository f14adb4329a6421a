#include "media/stores/s3_blob_store.h"

#include "media/stores/s3_blob_reader.h"
#include "media/stores/s3_blob_writer.h"
#include "media/stores/s3_join.h"
#include "media/stores/s3_listing.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

using Put = s3::S3Client::Put;

constexpr std::uint64_t kLargestObject = std::uint64_t{5} << 40;
constexpr std::size_t kMostThumbnailBytes = 16 << 20;

bool is_not_found(const Error& error) {
  return error.kind == ErrorKind::kNotFound;
}

std::unexpected<Error> blob_exists() {
  return fail(ErrorKind::kConflict, "blob_exists", "There is a file of that id already.");
}

std::vector<std::string> only(std::string key) {
  std::vector<std::string> keys;
  keys.push_back(std::move(key));
  return keys;
}

}  // namespace

S3BlobStore::S3BlobStore(s3::S3Client& client, const Clock& clock, S3BlobOptions options)
    : context_(client, clock, std::move(options)), open_blobs_([this](FileId id) {
        // Without a loop everything is at its end; the sweeper finds the object.
        if (EventLoop::current_or_null() != nullptr) context_.background.spawn(remove_put_off(std::move(id)));
      }) {}

S3BlobStore::~S3BlobStore() = default;

Task<Result<>> S3BlobStore::create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) {
  if (!is_file_id(id)) co_return not_found("file");
  if (size.value_or(0) > kLargestObject) {
    co_return fail(ErrorKind::kNoRoom, "storage_full", "There is no room to store this.");
  }
  const auto sealed = co_await context_.client.head(context_.keys.sealed(id), deadline);
  if (sealed) co_return blob_exists();
  if (!is_not_found(sealed.error())) co_return fail(port_error(sealed.error()));
  const std::string marker = context_.keys.marker(id);
  auto begun = co_await context_.client.put(marker, {}, Put::kIfAbsent, deadline);
  if (!begun && begun.error().kind == ErrorKind::kPreconditionFailed) co_return blob_exists();
  co_return port_result(std::move(begun));
}

Task<Result<std::unique_ptr<BlobWriter>>> S3BlobStore::write(FileId id, std::uint64_t offset,
                                                             std::shared_ptr<Digests> digests, SteadyTime deadline) {
  if (!is_file_id(id)) co_return not_found("file");
  const auto begun = co_await find_pieces(context_, id, offset, deadline);
  if (!begun) co_return fail(begun.error());
  if (!begun->is_open) co_return not_found("file");
  const std::uint64_t order = next_order(context_.clock, begun->pieces);
  co_return std::make_unique<S3BlobWriter>(context_, std::move(id), offset, order, std::move(digests));
}

Task<Result<>> S3BlobStore::copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) {
  if (!is_file_id(from) || !is_file_id(to)) co_return not_found("file");
  auto source = co_await find_layout(context_, from, deadline);
  if (!source) co_return fail(std::move(source.error()));
  const auto target = co_await find_pieces(context_, to, offset, deadline);
  if (!target) co_return fail(target.error());
  if (!target->is_open) co_return not_found("file");
  std::vector<Run> runs = cut_to(std::move(source->runs), range);
  if (source->size < range.end || !covers(runs, range)) co_return blob_incomplete();
  if (range.length() == 0) co_return Result<>();
  std::string key = context_.keys.piece(
      to, {.first = offset, .length = range.length(), .order = next_order(context_.clock, target->pieces)});
  if (auto joined = co_await join_runs(context_, std::move(runs), key, deadline); !joined) co_return joined;
  co_return co_await confirm_piece(context_, std::move(to), std::move(key), deadline);
}

Task<Result<>> S3BlobStore::seal(FileId id, std::uint64_t size, SteadyTime deadline) {
  if (!is_file_id(id) || open_blobs_.is_removed(id)) co_return not_found("file");
  auto begun = co_await find_pieces(context_, id, 0, deadline);
  if (!begun) co_return fail(std::move(begun.error()));
  if (begun->is_open) {
    // As of the moment when the marker was seen, which is listed after all pieces and goes before any of them.
    std::vector<Run> runs = cut_to(lay_out(begun->pieces), {0, size});
    if (!covers(runs, {0, size})) co_return blob_incomplete();
    auto sealed = co_await join_and_clear(id, std::move(begun->pieces), std::move(runs), deadline);
    // Its pieces went while they were being joined: it was sealed or removed at the same moment.
    if (sealed || !is_not_found(sealed.error())) co_return sealed;
  }
  co_return co_await check_sealed(std::move(id), size, deadline);
}

Task<Result<>> S3BlobStore::join_and_clear(FileId id, std::vector<StoredPiece> pieces, std::vector<Run> runs,
                                           SteadyTime deadline) {
  const std::string target = context_.keys.sealed(id);
  if (runs.empty()) {
    if (auto put = co_await context_.client.put(target, {}, Put::kAlways, deadline); !put) {
      co_return port_result(std::move(put));
    }
  } else if (auto joined = co_await join_runs(context_, std::move(runs), target, deadline); !joined) {
    co_return joined;
  }
  // It is sealed now, whatever becomes of the rest.
  if (auto cleared = co_await context_.client.remove(only(context_.keys.marker(id)), deadline); cleared) {
    std::vector<std::string> keys;
    for (StoredPiece& piece : pieces) keys.push_back(std::move(piece.key));
    if (!keys.empty()) context_.background.spawn(remove_behind(std::move(keys)));
  }
  co_return Result<>();
}

Task<Result<>> S3BlobStore::check_sealed(FileId id, std::uint64_t size, SteadyTime deadline) {
  const auto sealed = co_await context_.client.head(context_.keys.sealed(id), deadline);
  if (!sealed) co_return fail(port_error(sealed.error()));
  if (*sealed != size) co_return blob_incomplete();
  co_return Result<>();
}

Task<> S3BlobStore::remove_behind(std::vector<std::string> keys) {
  (void)co_await context_.client.remove(std::move(keys), context_.background_deadline());
}

Task<Result<std::unique_ptr<BlobReader>>> S3BlobStore::open(FileId id, SteadyTime deadline) {
  if (!is_file_id(id)) co_return not_found("file");
  // Before it is looked for, so that it cannot be removed between the two.
  auto use = open_blobs_.open(id);
  if (!use) co_return not_found("file");
  auto layout = co_await find_layout(context_, id, deadline);
  if (!layout) co_return fail(std::move(layout.error()));
  co_return std::make_unique<S3BlobReader>(context_, std::move(id), std::move(*layout), std::move(*use));
}

Task<Result<std::optional<std::string>>> S3BlobStore::presigned_address(FileId id, BlobLabel label,
                                                                        SteadyTime deadline) {
  if (context_.options.presigned_life.count() == 0) co_return std::optional<std::string>();
  if (!is_file_id(id) || open_blobs_.is_removed(id)) co_return not_found("file");
  auto address = co_await context_.client.presigned_get(context_.keys.sealed(id),
                                                        {{"response-content-type", std::move(label.content_type)},
                                                         {"response-content-disposition", std::move(label.disposition)},
                                                         {"response-cache-control", "private, no-cache"}},
                                                        context_.options.presigned_life, deadline);
  if (!address) co_return fail(port_error(std::move(address.error())));
  co_return std::optional(std::move(*address));
}

Task<Result<>> S3BlobStore::remove(FileId id, SteadyTime deadline) {
  if (!is_file_id(id)) co_return Result<>();
  if (!open_blobs_.put_off_removal(id)) {
    // What is open here stays; but nobody writes to it or seals it any more.
    co_return port_result(co_await context_.client.remove(only(context_.keys.marker(id)), deadline));
  }
  co_return co_await remove_objects(std::move(id), deadline);
}

// The blob before its thumbnails and the marker before the pieces: put_thumbnail() and put_piece() count on it.
Task<Result<>> S3BlobStore::remove_objects(FileId id, SteadyTime deadline) {
  std::vector<std::string> first = {context_.keys.marker(id), context_.keys.sealed(id)};
  auto removed = co_await context_.client.remove(std::move(first), deadline);
  if (!removed) co_return port_result(std::move(removed));
  auto begun = co_await find_pieces(context_, id, 0, deadline);
  if (!begun) co_return fail(std::move(begun.error()));
  std::vector<std::string> rest;
  for (StoredPiece& piece : begun->pieces) rest.push_back(std::move(piece.key));
  for (const ThumbnailSize size : {ThumbnailSize::kSmall, ThumbnailSize::kMedium, ThumbnailSize::kLarge}) {
    rest.push_back(context_.keys.thumbnail(id, size));
  }
  co_return port_result(co_await context_.client.remove(std::move(rest), deadline));
}

Task<> S3BlobStore::remove_put_off(FileId id) {
  auto removed = co_await remove_objects(id, context_.background_deadline());
  if (!removed) log_warn("an object that is read no more could not be removed", {{"file", id.value}});
  open_blobs_.forget(id);
}

Task<Result<Page<StoredBlob>>> S3BlobStore::list(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) {
  if (after && !is_file_id(*after)) co_return not_found("file");
  S3Listing listing(context_, std::move(after), deadline);
  Page<StoredBlob> page;
  for (;;) {
    auto next = co_await listing.next();
    if (!next) co_return fail(std::move(next.error()));
    if (!*next) co_return page;
    if (open_blobs_.is_removed((*next)->blob.id)) continue;
    if (page.items.size() == limit) {
      page.has_more = true;
      co_return page;
    }
    page.items.push_back(std::move((*next)->blob));
  }
}

Task<Result<>> S3BlobStore::put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) {
  if (!is_file_id(id) || open_blobs_.is_removed(id)) co_return not_found("file");
  const std::string sealed = context_.keys.sealed(id);
  const std::string thumbnail = context_.keys.thumbnail(id, size);
  if (auto there = co_await context_.client.head(sealed, deadline); !there) co_return fail(port_error(there.error()));
  auto payload = co_await hashed(context_, std::make_shared<const std::string>(std::move(bytes)));
  if (!payload) co_return fail(std::move(payload.error()));
  auto put = co_await context_.client.put(thumbnail, std::move(*payload), Put::kAlways, deadline);
  if (!put) co_return port_result(std::move(put));
  const auto still_there = co_await context_.client.head(sealed, deadline);
  if (still_there || !is_not_found(still_there.error())) co_return Result<>();
  // Removed meanwhile, perhaps before this thumbnail was there to be removed.
  (void)co_await context_.client.remove(only(thumbnail), deadline);
  co_return not_found("file");
}

Task<Result<std::unique_ptr<BlobReader>>> S3BlobStore::open_thumbnail(FileId id, ThumbnailSize size,
                                                                      SteadyTime deadline) {
  if (!is_file_id(id) || open_blobs_.is_removed(id)) co_return not_found("file");
  auto bytes = co_await context_.client.get_small(context_.keys.thumbnail(id, size), kMostThumbnailBytes, deadline);
  if (!bytes) co_return fail(port_error(std::move(bytes.error())));
  co_return std::make_unique<S3SmallReader>(std::move(*bytes));
}

Task<Result<>> S3BlobStore::ping(SteadyTime deadline) {
  deadline = std::min(deadline, context_.clock.steady_now() + context_.options.ping_timeout);
  co_return port_result(co_await context_.client.head_bucket(deadline));
}

Task<Result<std::size_t>> S3BlobStore::clear_leftovers(WallTime before, SteadyTime deadline) {
  std::size_t cleared = 0;
  for (const std::string& prefix : {context_.keys.files(), context_.keys.uploads()}) {
    const auto aborted = co_await abort_multiparts(prefix, before, deadline);
    if (!aborted) co_return fail(aborted.error());
    cleared += *aborted;
  }
  S3Listing listing(context_, {}, deadline);
  for (;;) {
    auto next = co_await listing.next();
    if (!next) co_return fail(std::move(next.error()));
    if (!*next) co_return cleared;
    if (!(*next)->blob.sealed || (*next)->leftovers.empty() || (*next)->newest_leftover >= before) continue;
    cleared += (*next)->leftovers.size();
    auto removed = co_await context_.client.remove(std::move((*next)->leftovers), deadline);
    if (!removed) co_return fail(port_error(std::move(removed.error())));
  }
}

Task<Result<std::size_t>> S3BlobStore::abort_multiparts(std::string prefix, WallTime before, SteadyTime deadline) {
  std::size_t aborted = 0;
  s3::MultipartList page{.has_more = true};
  while (page.has_more) {
    auto next = co_await context_.client.list_multipart(prefix, std::move(page), deadline);
    if (!next) co_return fail(port_error(std::move(next.error())));
    page = std::move(*next);
    for (const s3::MultipartUpload& upload : page.uploads) {
      if (upload.begun_at >= before || !context_.keys.parse(upload.key)) continue;
      if (auto done = co_await context_.client.abort_multipart(upload.key, upload.id, deadline); !done) {
        co_return fail(port_error(std::move(done.error())));
      }
      ++aborted;
    }
    page.uploads.clear();
  }
  co_return aborted;
}

}  // namespace parley::media
