#include "media/stores/s3_blob_context.h"

#include <algorithm>

#include "base/sha256.h"
#include "base/text.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

// What a writer cut smaller may overlap one that begins so far before it.
constexpr std::uint64_t kLongestWrittenPiece = 64 << 20;
constexpr unsigned kCountBits = 20;

}  // namespace

bool is_file_id(const FileId& id) {
  return parse_uuid(id.value).has_value();
}

std::unexpected<Error> blob_incomplete() {
  return fail(ErrorKind::kInvalid, "blob_incomplete", "The file has not the size that was announced.");
}

Error port_error(Error error) {
  switch (error.kind) {
    case ErrorKind::kNotFound:
    case ErrorKind::kNoRoom:
    case ErrorKind::kTimeout:
    case ErrorKind::kUnavailable:
      return error;
    default:
      log_warn("the objects' store failed", {{"code", error.code}});
      return unavailable("unavailable", "Files cannot be stored or read at the moment.").error();
  }
}

Result<> port_result(Result<> result) {
  if (!result) return std::unexpected(port_error(std::move(result.error())));
  return result;
}

Task<Result<BegunBlob>> find_pieces(S3BlobContext& context, FileId id, std::uint64_t first, SteadyTime deadline) {
  BegunBlob blob;
  s3::ListFrom from{.prefix = context.keys.pieces(id)};
  if (first > kLongestWrittenPiece) from.start_after = context.keys.pieces_before(id, first - kLongestWrittenPiece);
  for (;;) {
    auto page = co_await context.client.list(from, deadline);
    if (!page) co_return std::unexpected(port_error(std::move(page.error())));
    for (s3::ListedObject& object : page->objects) {
      const auto key = context.keys.parse(object.key);
      if (!key) continue;
      if (key->kind == ObjectKind::kMarker) blob.is_open = true;
      if (key->kind != ObjectKind::kPiece || object.size != key->piece.length) continue;
      blob.pieces.push_back({std::move(object.key), key->piece});
    }
    if (!page->next) co_return blob;
    from.token = std::move(*page->next);
  }
}

Task<Result<BlobLayout>> find_layout(S3BlobContext& context, FileId id, SteadyTime deadline) {
  for (const bool is_last_look : {false, true}) {
    const std::string key = context.keys.sealed(id);
    const auto size = co_await context.client.head(key, deadline);
    if (size) {
      BlobLayout layout{.sealed = true, .size = *size, .runs = {}};
      if (*size > 0) layout.runs.push_back({.key = key, .object_size = *size, .from = 0, .length = *size, .at = 0});
      co_return layout;
    }
    if (size.error().kind != ErrorKind::kNotFound) co_return std::unexpected(port_error(size.error()));
    if (is_last_look) break;
    auto begun = co_await find_pieces(context, id, 0, deadline);
    if (!begun) co_return std::unexpected(std::move(begun.error()));
    if (begun->is_open) {
      BlobLayout layout{.sealed = false, .size = 0, .runs = lay_out(std::move(begun->pieces))};
      layout.size = end_of(layout.runs);
      co_return layout;
    }
    // Perhaps it was sealed between the two.
  }
  co_return not_found("file");
}

Task<Result<s3::Payload>> hashed(S3BlobContext& context, std::shared_ptr<const std::string> bytes) {
  auto sum = co_await context.hashing.run<std::string>(
      SteadyTime::max(), [bytes]() -> Result<std::string> { return hex_encode(sha256(*bytes)); });
  if (!sum) co_return std::unexpected(std::move(sum.error()));
  co_return s3::Payload{std::move(bytes), std::move(*sum)};
}

Task<Result<>> put_piece(S3BlobContext& context, FileId id, PieceName name, s3::Payload payload, SteadyTime deadline) {
  std::string key = context.keys.piece(id, name);
  auto put = co_await context.client.put(key, std::move(payload), s3::S3Client::Put::kAlways, deadline);
  if (!put) co_return std::unexpected(port_error(std::move(put.error())));
  co_return co_await confirm_piece(context, std::move(id), std::move(key), deadline);
}

Task<Result<>> confirm_piece(S3BlobContext& context, FileId id, std::string key, SteadyTime deadline) {
  const auto marker = co_await context.client.head(context.keys.marker(id), deadline);
  if (marker) co_return Result<>();
  if (marker.error().kind != ErrorKind::kNotFound) co_return std::unexpected(port_error(marker.error()));
  std::vector<std::string> keys;
  keys.push_back(std::move(key));
  (void)co_await context.client.remove(std::move(keys), deadline);
  co_return not_found("file");
}

std::uint64_t next_order(const Clock& clock, const std::vector<StoredPiece>& pieces) {
  static std::atomic<std::uint64_t> last{0};
  std::uint64_t least = static_cast<std::uint64_t>(clock.wall_now().time_since_epoch().count()) << kCountBits;
  for (const StoredPiece& piece : pieces) least = std::max(least, piece.name.order + 1);
  for (std::uint64_t before = last.load();;) {
    const std::uint64_t order = std::max(least, before + 1);
    if (last.compare_exchange_weak(before, order)) return order;
  }
}

}  // namespace parley::media
