#include "media/stores/s3_listing.h"

#include <algorithm>

namespace parley::media {

S3Listing::S3Listing(S3BlobContext& context, std::optional<FileId> after, SteadyTime deadline)
    : context_(context),
      deadline_(deadline),
      files_{.from = {.prefix = context.keys.files()}},
      uploads_{.from = {.prefix = context.keys.uploads()}} {
  if (!after) return;
  files_.from.start_after = context.keys.after_files(*after);
  uploads_.from.start_after = context.keys.after_uploads(*after);
}

Task<Result<const S3Listing::Object*>> S3Listing::peek(Stream& stream) {
  while (stream.page.empty() && !stream.is_read) {
    auto page = co_await context_.client.list(stream.from, deadline_);
    if (!page) co_return std::unexpected(port_error(std::move(page.error())));
    for (s3::ListedObject& object : page->objects) {
      if (auto key = context_.keys.parse(object.key)) stream.page.push_back({std::move(object), std::move(*key)});
    }
    std::ranges::reverse(stream.page);
    stream.is_read = !page->next;
    if (page->next) stream.from.token = std::move(*page->next);
  }
  co_return stream.page.empty() ? nullptr : &stream.page.back();
}

Task<Result<std::optional<S3Listing::Entry>>> S3Listing::next() {
  const auto file = co_await peek(files_);
  if (!file) co_return std::unexpected(file.error());
  const auto upload = co_await peek(uploads_);
  if (!upload) co_return std::unexpected(upload.error());
  const Object* first = *file != nullptr ? *file : *upload;
  if (first == nullptr) co_return std::optional<Entry>();
  if (*upload != nullptr && is_listed_before((*upload)->key.id, first->key.id)) first = *upload;
  Entry entry{.blob = {.id = first->key.id}};
  if (auto taken = co_await take_all(files_, entry); !taken) co_return std::unexpected(std::move(taken.error()));
  if (auto taken = co_await take_all(uploads_, entry); !taken) co_return std::unexpected(std::move(taken.error()));
  if (!entry.blob.sealed) entry.leftovers.clear();
  co_return std::optional<Entry>(std::move(entry));
}

Task<Result<>> S3Listing::take_all(Stream& stream, Entry& entry) {
  for (;;) {
    const auto next = co_await peek(stream);
    if (!next) co_return std::unexpected(next.error());
    if (*next == nullptr || (*next)->key.id != entry.blob.id) co_return Result<>();
    take(std::move(stream.page.back()), entry);
    stream.page.pop_back();
  }
}

// A sealed blob is as large and as old as its object, whatever else there is; another as its pieces.
void S3Listing::take(Object object, Entry& entry) {
  StoredBlob& blob = entry.blob;
  const BlobKey& key = object.key;
  const WallTime modified_at = object.object.modified_at;
  if (key.kind == ObjectKind::kSealed) {
    blob.sealed = true;
    blob.size = object.object.size;
    blob.modified_at = modified_at;
    return;
  }
  if (!blob.sealed) blob.modified_at = std::max(blob.modified_at, modified_at);
  if (key.kind == ObjectKind::kThumbnail) return;
  if (!blob.sealed && key.kind == ObjectKind::kPiece) {
    blob.size = std::max(blob.size, key.piece.first + key.piece.length);
  }
  entry.leftovers.push_back(std::move(object.object.key));
  entry.newest_leftover = std::max(entry.newest_leftover, modified_at);
}

}  // namespace parley::media
