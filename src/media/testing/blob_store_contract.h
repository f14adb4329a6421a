// The contract that every blob store must keep, as a GoogleTest suite over its adapters. An adapter's test links
// blob_store_contract.cc and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Files, BlobStoreContract, testing::Values(make_file_store), …);
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "media/blob_store.h"

namespace parley::media::testing {

// A store of one adapter in a place of its own, which goes with it.
class BlobStoreUnderTest {
 public:
  virtual ~BlobStoreUnderTest() = default;
  virtual BlobStore& store() = 0;
  // Closes the store and opens it again, as a restart does.
  virtual void reopen() = 0;
};
using MakeBlobStore = std::unique_ptr<BlobStoreUnderTest> (*)();

class BlobStoreContract : public ::testing::TestWithParam<MakeBlobStore> {
 protected:
  BlobStoreContract();
  ~BlobStoreContract() override;

  template <class T>
  T wait(Task<T> task, std::size_t loop = 0) {
    return run_on_loop(loops_.at(loop), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  BlobStore& store() { return under_test_->store(); }
  void reopen() { under_test_->reopen(); }

  FileId new_id();
  // Bytes that look like no other's.
  std::string random_bytes(std::size_t count);
  // Begun, with these bytes, synced.
  FileId begun(std::string bytes);
  FileId sealed(std::string bytes);
  Result<> write(FileId id, std::uint64_t offset, std::string bytes, std::shared_ptr<Digests> digests = nullptr,
                 std::size_t loop = 0);
  Result<std::string> read(FileId id);
  Result<std::string> read(FileId id, ByteRange range);
  Result<std::string> thumbnail(FileId id, ThumbnailSize size);
  // All pages of `limit`.
  std::vector<StoredBlob> list(std::size_t limit);

  SystemClock clock_;
  SeededRandom random_{1};
  EventLoops loops_{2};
  std::unique_ptr<BlobStoreUnderTest> under_test_;
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

}  // namespace parley::media::testing
