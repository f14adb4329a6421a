#include "media/testing/media_store_contract.h"

namespace parley::media::testing {

using Suite = MediaStoreContract;

Suite::MediaStoreContract() : random_(1), loops_(2) {
  loops_.start();
  under_test_ = GetParam()(clock_, random_);
}
Suite::~MediaStoreContract() {
  EXPECT_THAT(under_test_->problems(loops_.at(0)), ::testing::IsEmpty());
  under_test_.reset();
  loops_.stop();
}

Upload Suite::new_upload(const char* owner, std::uint64_t bytes, const char* tenant) {
  Upload upload;
  upload.id = new_id();
  upload.tenant = TenantId(tenant);
  upload.owner = UserId(owner);
  upload.kind = UploadKind::kChunked;
  upload.filename = "a file.txt";
  upload.size = bytes;
  upload.reserved = bytes;
  upload.created_at = clock_.wall_now();
  upload.expires_at = clock_.wall_now() + kLife;
  return upload;
}
Upload Suite::new_upload_of_kind(UploadKind kind, const char* owner, std::uint64_t bytes) {
  Upload upload = new_upload(owner, bytes);
  upload.kind = kind;
  return upload;
}
Upload Suite::new_upload_of_no_size(const char* owner) {
  Upload upload = new_upload_of_kind(UploadKind::kTus, owner, 0);
  upload.size.reset();
  return upload;
}

Upload Suite::begun(Upload upload) {
  auto result = begin(std::move(upload));
  EXPECT_TRUE(result.has_value()) << result.error().detail;
  return result.value_or(Upload{});
}
Upload Suite::begun(const char* owner, std::uint64_t bytes, const char* tenant) {
  return begun(new_upload(owner, bytes, tenant));
}
Result<std::uint64_t> Suite::reserve(const Upload& upload, std::uint64_t at_least, std::uint64_t at_most) {
  return wait(store().reserve_more({upload.tenant, upload.id, at_least, at_most}, kNoHurry));
}
Result<Upload> Suite::set_size(const Upload& upload, std::uint64_t size) {
  return wait(store().set_upload_size(upload.tenant, upload.id, size, kNoHurry));
}
Result<Upload> Suite::add_part(const Upload& upload, ByteRange range, std::chrono::milliseconds lives) {
  return wait(store().add_part({upload.tenant, upload.id, range, clock_.wall_now() + lives}, kNoHurry));
}
Result<Upload> Suite::get_upload(const Upload& upload) {
  return wait(store().get_upload(upload.tenant, upload.id, kNoHurry));
}
Result<File> Suite::finish(const Upload& upload, std::uint64_t size, std::vector<FileId> partials, std::size_t loop) {
  FinishUpload command{upload.tenant, upload.id, "text/plain", size, some_sha256(upload.id)};
  return wait(store().finish_upload(std::move(command), std::move(partials), kNoHurry), loop);
}
Result<bool> Suite::abort(const Upload& upload) {
  return wait(store().abort_upload(upload.tenant, upload.id, kNoHurry));
}
File Suite::stored(const char* owner, std::uint64_t bytes, const char* tenant) {
  auto file = finish(begun(owner, bytes, tenant), bytes);
  EXPECT_TRUE(file.has_value()) << file.error().detail;
  return file.value_or(File{});
}

Result<File> Suite::get_file(const FileId& file, const char* tenant) {
  return wait(store().get_file(TenantId(tenant), file, kNoHurry));
}
Result<File> Suite::remove(const FileId& file, const char* by, const char* tenant) {
  return wait(store().delete_file(TenantId(tenant), file, UserId(by), kNoHurry));
}
Page<File> Suite::list(const char* owner, std::size_t limit, std::optional<FileListPoint> after, const char* tenant) {
  auto page = wait(store().list_files({TenantId(tenant), UserId(owner), std::move(after), limit}, kNoHurry));
  EXPECT_TRUE(page.has_value());
  return page.value_or(Page<File>{});
}
Usage Suite::usage(const char* user, const char* tenant) {
  auto found = wait(store().get_usage(TenantId(tenant), UserId(user), kNoHurry));
  EXPECT_TRUE(found.has_value());
  return found.value_or(Usage{});
}
std::vector<FileId> Suite::to_finish(std::size_t limit) {
  auto uploads = wait(store().uploads_to_finish(limit, kNoHurry));
  EXPECT_TRUE(uploads.has_value());
  std::vector<FileId> ids;
  if (!uploads) return ids;
  for (const Upload& upload : *uploads) {
    EXPECT_EQ(get_upload(upload), upload);
    ids.push_back(upload.id);
  }
  return ids;
}
std::vector<FileId> Suite::forget_expired(std::size_t limit) {
  auto ids = wait(store().forget_expired_uploads(clock_.wall_now(), limit, kNoHurry));
  EXPECT_TRUE(ids.has_value());
  return ids.value_or(std::vector<FileId>{});
}
std::vector<FileId> Suite::to_purge(std::size_t limit) {
  auto ids = wait(store().files_to_purge(clock_.wall_now(), limit, kNoHurry));
  EXPECT_TRUE(ids.has_value());
  return ids.value_or(std::vector<FileId>{});
}
std::vector<KnownBlob> Suite::scan(std::size_t limit) {
  std::vector<KnownBlob> all;
  for (bool more = true; more;) {
    const auto after = all.empty() ? std::nullopt : std::optional(all.back().id);
    auto page = wait(store().scan_blobs(after, limit, kNoHurry));
    EXPECT_TRUE(page.has_value());
    if (!page) break;
    EXPECT_LE(page->items.size(), limit);
    more = page->has_more;
    std::ranges::move(page->items, std::back_inserter(all));
  }
  return all;
}

std::vector<FileId> ids_of(const std::vector<File>& files) {
  std::vector<FileId> ids;
  for (const File& file : files) ids.push_back(file.id);
  return ids;
}
Sha256 some_sha256(const FileId& file) {
  return sha256(file.value);
}

}  // namespace parley::media::testing
