// FilesFixture: a MediaFixture with files that are there without an upload.
#pragma once
#include <string>

#include "media/testing/media_fixture.h"

namespace parley::media::testing {

inline const std::string kNoFile = "0198c5a2-7f00-7000-8000-000000000001";

class FilesFixture : public MediaFixture {
 protected:
  inline static const Error kAway{
      ErrorKind::kUnavailable, "unavailable", "Messages cannot be asked at the moment.", {}, std::chrono::seconds(1)};

  struct About {
    std::string type = "text/plain";
    std::string name = "notes.txt";
    std::string owner = "ada";
    std::string tenant = "acme";
  };
  // Stored as an upload would have.
  File stored(const std::string& bytes, About about) {
    Upload upload;
    upload.id = FileId(make_uuid_v7(clock_.wall_now(), random_));
    upload.tenant = TenantId(about.tenant);
    upload.owner = UserId(about.owner);
    upload.kind = UploadKind::kWhole;
    upload.filename = about.name;
    upload.size = upload.reserved = bytes.size();
    upload.created_at = clock_.wall_now();
    upload.expires_at = clock_.wall_now() + std::chrono::hours(1);
    EXPECT_TRUE(loop_.run(store_->begin_upload(upload, kNoHurry)));
    EXPECT_TRUE(loop_.run(put(*files_, upload.id, bytes)));
    auto file = loop_.run(
        store_->finish_upload({upload.tenant, upload.id, about.type, bytes.size(), sha256(bytes)}, {}, kNoHurry));
    EXPECT_TRUE(file);
    return file.value_or(File());
  }
  File stored(const std::string& bytes) { return stored(bytes, About()); }

  void put_thumbnail(const File& file, ThumbnailSize size, const std::string& bytes) {
    EXPECT_TRUE(loop_.run(files_->put_thumbnail(file.id, size, bytes, kNoHurry)));
    EXPECT_TRUE(loop_.run(store_->set_picture({file.tenant, file.id, ImageSize{4, 3}, {size}}, kNoHurry)));
  }
  std::filesystem::path object_of(const File& file) const {
    return folder_.path() / "objects" / file.id.value.substr(34) / file.id.value;
  }

 private:
  static Task<Result<>> put(BlobStore& blobs, FileId id, std::string bytes) {
    if (auto begun = co_await blobs.create(id, {}, kNoHurry); !begun) co_return begun;
    auto writer = co_await blobs.write(id, 0, nullptr, kNoHurry);
    if (!writer) co_return std::unexpected(writer.error());
    if (auto taken = co_await (*writer)->write(bytes, kNoHurry); !taken) co_return taken;
    if (auto flushed = co_await (*writer)->flush(kNoHurry); !flushed) co_return flushed;
    co_return co_await blobs.seal(id, bytes.size(), kNoHurry);
  }
};

}  // namespace parley::media::testing
