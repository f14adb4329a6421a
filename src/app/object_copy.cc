#include "app/object_copy.h"

#include "media/digests.h"

namespace parley::app {

namespace {

using media::BlobStore;

constexpr SteadyTime kNoHurry = SteadyTime::max();
constexpr std::size_t kLargestThumbnail = 16 * 1024 * 1024;

std::unexpected<Error> wrong_bytes() {
  return fail(ErrorKind::kInvalid, "wrong_bytes", "its object is not what was stored: another SHA-256");
}

std::shared_ptr<media::Digests> new_digests() {
  return std::make_shared<media::Digests>(std::vector<ExpectedDigest>{});
}

Task<Result<>> pour(http::Body& body, media::BlobWriter& writer) {
  for (;;) {
    auto piece = co_await body.read();
    if (!piece) co_return fail(std::move(piece.error()));
    if (piece->empty()) co_return Result<>{};
    if (auto taken = co_await writer.write(*piece, kNoHurry); !taken) co_return taken;
  }
}

Task<Result<>> copy_thumbnails(BlobStore& from, BlobStore& to, const media::KnownBlob& blob, bool only_missing) {
  for (const media::ThumbnailSize size : blob.thumbnails) {
    if (only_missing) {
      auto there = co_await to.open_thumbnail(blob.id, size, kNoHurry);
      if (there) continue;
      if (there.error().kind != ErrorKind::kNotFound) co_return fail(std::move(there.error()));
    }
    auto reader = co_await from.open_thumbnail(blob.id, size, kNoHurry);
    // It may have gone, or never been made; what lacks is made again when it is asked for.
    if (!reader && reader.error().kind == ErrorKind::kNotFound) continue;
    if (!reader) co_return fail(std::move(reader.error()));
    auto body = (*reader)->read({0, (*reader)->size()});
    auto bytes = co_await http::read_all(*body, kLargestThumbnail);
    if (!bytes) co_return fail(std::move(bytes.error()));
    auto kept = co_await to.put_thumbnail(blob.id, size, std::move(*bytes), kNoHurry);
    if (!kept) co_return kept;
  }
  co_return Result<>{};
}

}  // namespace

Task<Result<>> copy_object(BlobStore& from, BlobStore& to, media::KnownBlob blob) {
  auto reader = co_await from.open(blob.id, kNoHurry);
  if (!reader) co_return fail(std::move(reader.error()));
  if (auto begun = co_await to.create(blob.id, blob.size, kNoHurry); !begun) co_return begun;
  const auto digests = new_digests();
  auto writer = co_await to.write(blob.id, 0, digests, kNoHurry);
  if (!writer) co_return fail(std::move(writer.error()));
  auto body = (*reader)->read({0, (*reader)->size()});
  if (auto poured = co_await pour(*body, **writer); !poured) co_return poured;
  if (auto written = co_await (*writer)->flush(kNoHurry); !written) co_return written;
  if (digests->sha256() != blob.sha256) co_return wrong_bytes();
  if (auto sealed = co_await to.seal(blob.id, blob.size, kNoHurry); !sealed) co_return sealed;
  co_return co_await copy_thumbnails(from, to, blob, false);
}

Task<Result<>> complete_thumbnails(BlobStore& from, BlobStore& to, media::KnownBlob blob) {
  co_return co_await copy_thumbnails(from, to, blob, true);
}

Task<Result<>> copy_ranges(BlobStore& from, BlobStore& to, media::Upload upload) {
  if (auto begun = co_await to.create(upload.id, upload.size, kNoHurry); !begun) co_return begun;
  if (upload.present.empty()) co_return Result<>{};
  auto reader = co_await from.open(upload.id, kNoHurry);
  if (!reader) co_return fail(std::move(reader.error()));
  for (const ByteRange& range : upload.present) {
    if (range.end > (*reader)->size()) {
      co_return fail(ErrorKind::kInvalid, "wrong_bytes", "its object has fewer bytes than came of the upload");
    }
    auto writer = co_await to.write(upload.id, range.first, nullptr, kNoHurry);
    if (!writer) co_return fail(std::move(writer.error()));
    auto body = (*reader)->read(range);
    if (auto poured = co_await pour(*body, **writer); !poured) co_return poured;
    if (auto safe = co_await (*writer)->sync(kNoHurry); !safe) co_return safe;
  }
  co_return Result<>{};
}

Task<Result<>> read_over(BlobStore& objects, media::KnownBlob blob) {
  auto reader = co_await objects.open(blob.id, kNoHurry);
  if (!reader) co_return fail(std::move(reader.error()));
  auto body = (*reader)->read({0, (*reader)->size()});
  const auto digests = new_digests();
  for (;;) {
    auto piece = co_await body->read();
    if (!piece) co_return fail(std::move(piece.error()));
    if (piece->empty()) break;
    digests->update(*piece);
  }
  if (digests->length() != blob.size || digests->sha256() != blob.sha256) co_return wrong_bytes();
  co_return Result<>{};
}

}  // namespace parley::app
