// The contract that every media store must keep, as a GoogleTest suite over its adapters. An adapter's test links the
// media_store_contract*.cc files and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, MediaStoreContract, testing::Values(make_sqlite_store), …);
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "events/event.h"
#include "media/media_store.h"

namespace parley::media::testing {

// A store of one adapter in a place of its own, which goes with it. It has these limits:
inline constexpr QuotaLimits kLimitsUnderTest{.per_user = 1000, .per_tenant = 1500, .uploads_per_user = 5};
class MediaStoreUnderTest {
 public:
  virtual ~MediaStoreUnderTest() = default;
  virtual MediaStore& store() = 0;
  // Closes the store and opens it again, as a restart does.
  virtual void reopen() = 0;
  // Everything in its log, in order. On `loop`.
  virtual std::vector<events::Event> events(EventLoop& loop) = 0;
  // Whatever the adapter can find wrong with its own data; empty when all is well. On `loop`.
  virtual std::vector<std::string> problems(EventLoop& loop) = 0;
};
using MakeMediaStore = std::unique_ptr<MediaStoreUnderTest> (*)(const Clock&, Random&);

// Members call the port on an event loop and wait; tenant "acme" unless said otherwise.
class MediaStoreContract : public ::testing::TestWithParam<MakeMediaStore> {
 protected:
  MediaStoreContract();
  // A store that holds together at the end of every test is part of the contract.
  ~MediaStoreContract() override;

  template <class T>
  T wait(Task<T> task, std::size_t loop = 0) {
    return run_on_loop(loops_.at(loop), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  MediaStore& store() { return under_test_->store(); }
  void reopen() { under_test_->reopen(); }
  std::vector<events::Event> events() { return under_test_->events(loops_.at(0)); }

  FileId new_id() { return FileId(make_uuid_v7(clock_.wall_now(), random_)); }
  // Not begun yet: of a size that is known and reserved, to expire in an hour.
  Upload new_upload(const char* owner, std::uint64_t bytes, const char* tenant = "acme");
  Upload new_upload_of_kind(UploadKind kind, const char* owner, std::uint64_t bytes);
  Upload new_upload_of_no_size(const char* owner);

  Result<Upload> begin(Upload upload) { return wait(store().begin_upload(std::move(upload), kNoHurry)); }
  Upload begun(Upload upload);
  Upload begun(const char* owner, std::uint64_t bytes, const char* tenant = "acme");
  Result<std::uint64_t> reserve(const Upload& upload, std::uint64_t at_least, std::uint64_t at_most);
  Result<Upload> set_size(const Upload& upload, std::uint64_t size);
  Result<Upload> add_part(const Upload& upload, ByteRange range, std::chrono::milliseconds lives = kLife);
  Result<Upload> get_upload(const Upload& upload);
  Result<File> finish(const Upload& upload, std::uint64_t size, std::vector<FileId> partials = {},
                      std::size_t loop = 0);
  Result<bool> abort(const Upload& upload);
  // Begun and finished.
  File stored(const char* owner, std::uint64_t bytes, const char* tenant = "acme");
  Result<File> get_file(const FileId& file, const char* tenant = "acme");
  Result<File> remove(const FileId& file, const char* by = "ann", const char* tenant = "acme");
  Page<File> list(const char* owner, std::size_t limit = 50, std::optional<FileListPoint> after = {},
                  const char* tenant = "acme");
  Usage usage(const char* user, const char* tenant = "acme");
  std::vector<FileId> to_finish(std::size_t limit = 100);
  std::vector<FileId> forget_expired(std::size_t limit = 100);
  std::vector<FileId> to_purge(std::size_t limit = 100);
  std::vector<KnownBlob> scan(std::size_t limit = 100);

  static constexpr std::chrono::milliseconds kLife = std::chrono::hours(1);
  ManualClock clock_;
  SeededRandom random_;
  EventLoops loops_;
  std::unique_ptr<MediaStoreUnderTest> under_test_;
};

// EXPECT_THAT(result, FailsWith("not_found"));
MATCHER_P(FailsWith, code, "") {
  if (arg.has_value()) {
    *result_listener << "which is a value";
    return false;
  }
  *result_listener << "which failed with " << arg.error().code;
  return arg.error().code == std::string(code);
}
// EXPECT_THAT(usage("ann").user, Counts(stored, reserved, files));
MATCHER_P3(Counts, stored, reserved, files, "") {
  *result_listener << "which has " << arg.stored << " stored, " << arg.reserved << " reserved, " << arg.files
                   << " files";
  return arg.stored == static_cast<std::uint64_t>(stored) && arg.reserved == static_cast<std::uint64_t>(reserved) &&
         arg.files == static_cast<std::uint64_t>(files);
}

std::vector<FileId> ids_of(const std::vector<File>& files);
Sha256 some_sha256(const FileId& file);

}  // namespace parley::media::testing
