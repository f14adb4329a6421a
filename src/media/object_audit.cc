#include "media/object_audit.h"

#include <algorithm>
#include <map>

#include "media/digests.h"

namespace parley::media {

namespace {

Result<> stopped() {
  return unavailable("stopped", "The comparison was stopped.");
}

bool is_not_found(const Error& error) {
  return error.kind == ErrorKind::kNotFound;
}

template <class T>
void list(std::vector<T>& listed, T item) {
  if (listed.size() < ObjectAudit::kMostListed) listed.push_back(std::move(item));
}

// Whether `now` is what the object was asked for: a file that is not deleted, the same upload, a thumbnail that the
// file still has.
bool still_holds(const ObjectFinding& finding, const KnownBlob& now) {
  if (now.deleted || now.sealed != finding.blob.sealed) return false;
  return finding.fault != ObjectFault::kThumbnailMissing || now.thumbnails == finding.blob.thumbnails;
}

}  // namespace

std::string_view to_string(ObjectFault fault) {
  switch (fault) {
    case ObjectFault::kMissing:
      return "missing";
    case ObjectFault::kWrongSize:
      return "wrong_size";
    case ObjectFault::kWrongBytes:
      return "wrong_bytes";
    case ObjectFault::kUnreadable:
      return "unreadable";
    case ObjectFault::kUploadIncomplete:
      return "upload_incomplete";
    case ObjectFault::kThumbnailMissing:
      break;
  }
  return "thumbnail_missing";
}

ObjectAudit::ObjectAudit(BlobRecords& records, BlobStore& blobs, const Clock& clock, Settings settings)
    : records_(records), blobs_(blobs), clock_(clock), settings_(settings) {}

Task<Result<ObjectReport>> ObjectAudit::run() {
  ObjectReport report;
  if (auto done = co_await look_for_orphans(report); !done) co_return fail(std::move(done.error()));
  if (auto done = co_await look_at_files(report); !done) co_return fail(std::move(done.error()));
  co_return report;
}

Task<Result<>> ObjectAudit::look_for_orphans(ObjectReport& report) {
  std::optional<FileId> after;
  for (bool more = true; more;) {
    if (stopping_) co_return stopped();
    auto page = co_await blobs_.list(after, settings_.page, step_deadline());
    if (!page) co_return fail(std::move(page.error()));
    more = page->has_more && !page->items.empty();
    if (page->items.empty()) break;
    after = page->items.back().id;
    if (auto done = co_await count_objects(page->items, report); !done) co_return done;
  }
  co_return Result<>{};
}

// The store is asked after the objects were seen: a row that is not there by then will never be, but for an upload
// that made its object first, and that one is young.
Task<Result<>> ObjectAudit::count_objects(const std::vector<StoredBlob>& objects, ObjectReport& report) {
  std::vector<FileId> ids;
  for (const StoredBlob& object : objects) ids.push_back(object.id);
  auto known = co_await records_.find_blobs(ids, step_deadline());
  if (!known) co_return fail(std::move(known.error()));
  std::vector<FileId> known_ids;
  for (const KnownBlob& blob : *known) known_ids.push_back(blob.id);
  std::ranges::sort(known_ids);
  const WallTime young_since = clock_.wall_now() - settings_.safe_age;
  for (const StoredBlob& object : objects) {
    ++report.objects;
    report.bytes += object.size;
    if (std::ranges::binary_search(known_ids, object.id)) continue;
    if (settings_.safe_age.count() > 0 && object.modified_at > young_since) {
      ++report.too_young;
    } else {
      ++report.orphans;
      list(report.listed_orphans, object);
    }
  }
  co_return Result<>{};
}

Task<Result<>> ObjectAudit::look_at_files(ObjectReport& report) {
  std::optional<FileId> after;
  for (bool more = true; more;) {
    auto page = co_await records_.scan_blobs(after, settings_.page, step_deadline());
    if (!page) co_return fail(std::move(page.error()));
    more = page->has_more && !page->items.empty();
    if (page->items.empty()) break;
    after = page->items.back().id;
    std::vector<ObjectFinding> suspects;
    for (const KnownBlob& blob : page->items) {
      if (stopping_) co_return stopped();
      if (blob.sealed && !blob.deleted) ++report.files;
      if (auto done = co_await look_at(blob, suspects); !done) co_return done;
    }
    if (auto done = co_await confirm(std::move(suspects), report); !done) co_return done;
  }
  co_return Result<>{};
}

Task<Result<>> ObjectAudit::look_at(const KnownBlob& blob, std::vector<ObjectFinding>& suspects) {
  if (blob.deleted || (!blob.sealed && blob.size == 0)) co_return Result<>{};
  auto reader = co_await blobs_.open(blob.id, step_deadline());
  if (!reader && !is_not_found(reader.error())) {
    if (++unreadable_ >= settings_.unreadable_in_a_row) co_return fail(std::move(reader.error()));
    if (blob.sealed) suspects.push_back({ObjectFault::kUnreadable, blob});
    co_return Result<>{};
  }
  unreadable_ = 0;
  const std::uint64_t size = reader ? (*reader)->size() : 0;
  if (!blob.sealed) {
    if (size < blob.size) suspects.push_back({ObjectFault::kUploadIncomplete, blob, size});
    co_return Result<>{};
  }
  if (!reader) {
    suspects.push_back({ObjectFault::kMissing, blob});
  } else if (size != blob.size) {
    suspects.push_back({ObjectFault::kWrongSize, blob, size});
  } else if (settings_.read_bytes) {
    if (auto done = co_await look_at_bytes(blob, **reader, suspects); !done) co_return done;
  }
  co_return co_await look_at_thumbnails(blob, suspects);
}

Task<Result<>> ObjectAudit::look_at_bytes(const KnownBlob& blob, BlobReader& reader,
                                          std::vector<ObjectFinding>& suspects) {
  Digests digests({});
  auto body = reader.read({0, reader.size()});
  for (;;) {
    if (stopping_) co_return stopped();
    auto piece = co_await body->read();
    if (!piece) {
      suspects.push_back({ObjectFault::kUnreadable, blob, reader.size()});
      co_return Result<>{};
    }
    if (piece->empty()) break;
    digests.update(*piece);
  }
  if (digests.sha256() != blob.sha256) suspects.push_back({ObjectFault::kWrongBytes, blob, reader.size()});
  co_return Result<>{};
}

Task<Result<>> ObjectAudit::look_at_thumbnails(const KnownBlob& blob, std::vector<ObjectFinding>& suspects) {
  std::vector<ThumbnailSize> there;
  for (const ThumbnailSize size : blob.thumbnails) {
    auto reader = co_await blobs_.open_thumbnail(blob.id, size, step_deadline());
    if (!reader && !is_not_found(reader.error())) co_return fail(std::move(reader.error()));
    if (reader) there.push_back(size);
  }
  if (there.size() < blob.thumbnails.size()) {
    suspects.push_back({ObjectFault::kThumbnailMissing, blob, blob.size, std::move(there)});
  }
  co_return Result<>{};
}

Task<Result<>> ObjectAudit::confirm(std::vector<ObjectFinding> suspects, ObjectReport& report) {
  if (suspects.empty()) co_return Result<>{};
  std::vector<FileId> ids;
  for (const ObjectFinding& suspect : suspects) ids.push_back(suspect.blob.id);
  auto known = co_await records_.find_blobs(std::move(ids), step_deadline());
  if (!known) co_return fail(std::move(known.error()));
  std::map<FileId, const KnownBlob*> now;
  for (const KnownBlob& blob : *known) now[blob.id] = &blob;
  for (ObjectFinding& suspect : suspects) {
    const auto found = now.find(suspect.blob.id);
    if (found == now.end() || !still_holds(suspect, *found->second)) continue;
    ++report.findings;
    list(report.listed, std::move(suspect));
  }
  co_return Result<>{};
}

}  // namespace parley::media
