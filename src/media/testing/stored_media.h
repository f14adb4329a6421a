// StoredMedia: media's embedded store and objects in a folder of their own, with files and uploads to work on. For
// tests; called from the test's thread.
#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "base/sha256.h"
#include "drivers/sqlite/temp_folder.h"
#include "media/stores/file_blob_store.h"
#include "media/stores/sqlite_media_store.h"
#include "media/testing/faulty_blob_store.h"

namespace parley::media::testing {

class StoredMedia {
 public:
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  StoredMedia() {
    loops.start();
    store = std::move(*SqliteMediaStore::open({.folder = folder()}, clock, random));
    files = std::move(*FileBlobStore::open({.folder = folder() / "objects", .writer_threads = 2, .reader_threads = 2}));
    blobs.emplace(*files);
  }
  ~StoredMedia() {
    blobs.reset();
    files.reset();
    store.reset();
    loops.stop();
  }

  EventLoop& loop() { return loops.at(0); }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loop(), std::move(task));
  }
  std::filesystem::path folder() const { return temp.path() / "media"; }
  // Of a sealed object; ".part" and the like may be added.
  std::filesystem::path object(const FileId& id, const std::string& ending = "") const {
    return folder() / "objects" / id.value.substr(34) / (id.value + ending);
  }
  bool has_object(const FileId& id, const std::string& ending = "") const {
    return std::filesystem::exists(object(id, ending));
  }
  void damage(const char* sql) { sqlite::Connection({.file = folder() / kMediaDatabase}).exec(sql); }

  FileId new_id() { return FileId(make_uuid_v7(clock.wall_now(), random)); }
  // An object alone, not sealed.
  FileId bare_object(const std::string& bytes) {
    const FileId id = new_id();
    EXPECT_TRUE(wait(write_object(*files, id, bytes)));
    return id;
  }
  // With `bytes` on disk, to expire in an hour.
  Upload upload(const std::string& bytes, UploadKind kind = UploadKind::kChunked) {
    Upload begun;
    begun.id = bare_object(bytes);
    begun.tenant = TenantId("acme");
    begun.owner = UserId("ann");
    begun.kind = kind;
    begun.filename = "name";
    begun.size = begun.reserved = bytes.size();
    begun.created_at = clock.wall_now();
    begun.expires_at = clock.wall_now() + std::chrono::hours(1);
    EXPECT_TRUE(wait(store->begin_upload(begun, kNoHurry)));
    EXPECT_TRUE(wait(store->add_part({begun.tenant, begun.id, {0, bytes.size()}, begun.expires_at}, kNoHurry)));
    return begun;
  }
  File file(const std::string& bytes, std::string content_type = "text/plain") {
    const Upload begun = upload(bytes);
    EXPECT_TRUE(wait(files->seal(begun.id, bytes.size(), kNoHurry)));
    auto made = wait(store->finish_upload(
        {begun.tenant, begun.id, std::move(content_type), bytes.size(), sha256(bytes)}, {}, kNoHurry));
    EXPECT_TRUE(made) << made.error().detail;
    return made.value_or(File{});
  }
  void remove(const File& gone) { EXPECT_TRUE(wait(store->delete_file(gone.tenant, gone.id, gone.owner, kNoHurry))); }
  Result<File> get(const FileId& id) { return wait(store->get_file(TenantId("acme"), id, kNoHurry)); }

  // It begins now, for objects are as old as the system says.
  ManualClock clock{SystemClock().wall_now()};
  SeededRandom random{1};
  EventLoops loops{1};
  sqlite::TempFolder temp;
  std::unique_ptr<SqliteMediaStore> store;
  std::unique_ptr<FileBlobStore> files;
  std::optional<FaultyBlobStore> blobs;  // over files

 private:
  static Task<Result<>> write_object(BlobStore& to, FileId id, std::string bytes) {
    if (auto begun = co_await to.create(id, {}, kNoHurry); !begun) co_return begun;
    auto writer = co_await to.write(id, 0, nullptr, kNoHurry);
    if (!writer) co_return std::unexpected(writer.error());
    if (auto taken = co_await (*writer)->write(bytes, kNoHurry); !taken) co_return taken;
    co_return co_await (*writer)->sync(kNoHurry);
  }
};

}  // namespace parley::media::testing
