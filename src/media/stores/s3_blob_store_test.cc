// Over an S3 in memory: the contract, what a crash leaves, and what becomes of a store whose S3 has bad days.
#include "media/stores/s3_blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "drivers/s3/testing/fake_s3.h"
#include "media/testing/s3_under_test.h"

namespace parley::media {

namespace testing {

using s3::testing::FakeS3;

class FakeS3UnderTest final : public BlobStoreUnderTest {
 public:
  explicit FakeS3UnderTest(S3BlobOptions options = {})
      : s3_(std::move(options), fake_.endpoint(), std::string(FakeS3::kBucket)) {}
  BlobStore& store() override { return s3_.store(); }
  void reopen() override { s3_.reopen(); }
  FakeS3& fake() { return fake_; }
  S3UnderTest& s3() { return s3_; }

 private:
  FakeS3 fake_;
  S3UnderTest s3_;
};

std::unique_ptr<BlobStoreUnderTest> make_s3_store() {
  return std::make_unique<FakeS3UnderTest>();
}
// Many pieces, so that joining has work to do.
std::unique_ptr<BlobStoreUnderTest> make_s3_store_of_small_pieces() {
  return std::make_unique<FakeS3UnderTest>(S3BlobOptions{.piece_bytes = 300'000});
}

INSTANTIATE_TEST_SUITE_P(S3, BlobStoreContract, ::testing::Values(make_s3_store, make_s3_store_of_small_pieces));

}  // namespace testing

namespace {

using s3::testing::FakeS3;
using s3::testing::s3_error;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr SteadyTime kNoHurry = SteadyTime::max();

class S3BlobStoreTest : public ::testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(under_test_.s3().loop(), std::move(task));
  }
  S3BlobStore& store() { return under_test_.s3().s3_store(); }
  FakeS3& fake() { return under_test_.fake(); }
  FileId new_id() { return FileId(make_uuid_v7(clock_.wall_now(), random_)); }
  S3BlobKeys keys() { return S3BlobKeys(under_test_.s3().options().prefix); }

  static Task<Result<>> write_all(BlobStore& store, FileId id, std::uint64_t offset, std::string bytes,
                                  SteadyTime deadline) {
    auto writer = co_await store.write(id, offset, nullptr, deadline);
    if (!writer) co_return std::unexpected(writer.error());
    if (auto taken = co_await (*writer)->write(bytes, deadline); !taken) co_return taken;
    co_return co_await (*writer)->sync(deadline);
  }
  static Task<Result<std::string>> read_all(BlobStore& store, FileId id) {
    auto reader = co_await store.open(id, kNoHurry);
    if (!reader) co_return std::unexpected(reader.error());
    auto body = (*reader)->read({0, (*reader)->size()});
    co_return co_await http::read_all(*body, (*reader)->size());
  }
  FileId begun(std::string bytes) {
    const FileId id = new_id();
    EXPECT_TRUE(wait(store().create(id, {}, kNoHurry)));
    if (!bytes.empty()) {
      EXPECT_TRUE(wait(write_all(store(), id, 0, std::move(bytes), kNoHurry)));
    }
    return id;
  }
  FileId sealed(const std::string& bytes) {
    FileId id = begun(bytes);
    EXPECT_TRUE(wait(store().seal(id, bytes.size(), kNoHurry)));
    return id;
  }
  std::vector<StoredBlob> list() { return wait(store().list({}, 100, kNoHurry))->items; }

  SystemClock clock_;
  SeededRandom random_{3};
  testing::FakeS3UnderTest under_test_;
};

Task<Result<>> flush_often(BlobStore& store, FileId id) {
  auto writer = co_await store.write(id, 0, nullptr, kNoHurry);
  for (int i = 0; i < 20; ++i) {
    if (auto taken = co_await (*writer)->write("ten bytes ", kNoHurry); !taken) co_return taken;
    if (auto flushed = co_await (*writer)->flush(kNoHurry); !flushed) co_return flushed;
  }
  co_return Result<>();
}

TEST_F(S3BlobStoreTest, ManyFlushesLeaveOnePieceNotMany) {
  const FileId id = begun("");
  ASSERT_TRUE(wait(flush_often(store(), id)));
  under_test_.reopen();  // waits for what goes on behind
  EXPECT_THAT(fake().objects(), SizeIs(2)) << "the marker and the piece";
}

TEST_F(S3BlobStoreTest, ASealedBlobLeavesNoPieces) {
  const FileId id = sealed(std::string(12'000'000, 'x'));
  under_test_.reopen();
  EXPECT_THAT(fake().objects(), SizeIs(1));
  EXPECT_EQ(fake().multipart_uploads(), 0u);
  EXPECT_EQ(fake().objects().at(keys().sealed(id)).size(), 12'000'000u);
}

TEST_F(S3BlobStoreTest, APieceWithoutItsBlobIsListedSoThatItIsFoundAndRemoved) {
  const FileId id = new_id();
  fake().put(keys().piece(id, {0, 1, 1}), "x");
  ASSERT_THAT(list(), SizeIs(1));
  EXPECT_FALSE(list().front().sealed);
  ASSERT_TRUE(wait(store().remove(id, kNoHurry)));
  EXPECT_THAT(fake().objects(), IsEmpty());
}

TEST_F(S3BlobStoreTest, ACrashAfterJoiningLeavesWhatIsSealedAndIsClearedLater) {
  const FileId id = sealed("bytes");
  under_test_.reopen();
  fake().put(keys().piece(id, {0, 5, 1}), "bytes");
  fake().put(keys().marker(id), "");
  ASSERT_THAT(list(), SizeIs(1));
  EXPECT_TRUE(list().front().sealed);
  EXPECT_EQ(list().front().size, 5u);
  EXPECT_EQ(wait(read_all(store(), id)), "bytes");
  EXPECT_TRUE(wait(store().seal(id, 5, kNoHurry))) << "again, by whoever was cut";
  under_test_.reopen();  // waits for what goes on behind, which clears as well
  fake().put(keys().piece(id, {0, 5, 1}), "bytes");
  fake().set_time(clock_.wall_now() - std::chrono::hours(2));
  EXPECT_EQ(wait(store().clear_leftovers(clock_.wall_now() - std::chrono::hours(3), kNoHurry)), 0u);
  EXPECT_GE(*wait(store().clear_leftovers(clock_.wall_now() - std::chrono::hours(1), kNoHurry)), 1u);
  under_test_.reopen();
  EXPECT_THAT(fake().objects(), SizeIs(1));
  EXPECT_EQ(wait(read_all(store(), id)), "bytes");
}

TEST_F(S3BlobStoreTest, PiecesOfWhatIsNotSealedAreNoLeftovers) {
  const FileId id = begun("bytes");
  fake().set_time(clock_.wall_now() - std::chrono::hours(200));
  EXPECT_EQ(wait(store().clear_leftovers(clock_.wall_now(), kNoHurry)), 0u);
  EXPECT_EQ(wait(read_all(store(), id)), "bytes");
}

TEST_F(S3BlobStoreTest, MultipartUploadsThatNobodyCompletedAreGivenUpOnceTheyAreOld) {
  const std::string ours = keys().sealed(new_id());
  ASSERT_TRUE(wait(under_test_.s3().client().begin_multipart(ours, kNoHurry)));
  ASSERT_TRUE(wait(under_test_.s3().client().begin_multipart("of/others", kNoHurry)));
  EXPECT_EQ(wait(store().clear_leftovers(clock_.wall_now() - std::chrono::hours(1), kNoHurry)), 0u);
  EXPECT_EQ(wait(store().clear_leftovers(clock_.wall_now() + std::chrono::hours(1), kNoHurry)), 1u);
  EXPECT_EQ(fake().multipart_uploads(), 1u) << "what is not ours stays";
}

TEST_F(S3BlobStoreTest, AJoinWhoseAnswerIsLostIsASuccessAllTheSame) {
  const std::string bytes(12'000'000, 'y');
  const FileId id = begun(bytes);
  // The first completion is done, and answered by an error; those after it find no upload.
  fake().set_fault([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method_text == "POST" && request.query.starts_with("uploadId")) return s3_error(404, "NoSuchUpload");
    return std::nullopt;
  });
  fake().put(keys().sealed(id), bytes);
  EXPECT_TRUE(wait(store().seal(id, bytes.size(), kNoHurry)));
}

TEST_F(S3BlobStoreTest, AJoinThatFailsLeavesTheUploadAsItWas) {
  const std::string bytes(12'000'000, 'z');
  const FileId id = begun(bytes);
  fake().fail_first(1'000, "POST", 403, "AccessDenied");
  const auto refused = wait(store().seal(id, bytes.size(), kNoHurry));
  EXPECT_THAT(refused, FailsWith("unavailable"));
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  fake().set_fault(nullptr);
  EXPECT_TRUE(wait(store().seal(id, bytes.size(), kNoHurry)));
  EXPECT_EQ(wait(read_all(store(), id)), bytes);
}

TEST_F(S3BlobStoreTest, AFailedPieceIsTheWritersEnd) {
  const FileId id = begun("");
  fake().set_fault([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method_text == "PUT") return s3_error(403, "AccessDenied");
    return std::nullopt;
  });
  const auto failed = wait(write_all(store(), id, 0, std::string(12'000'000, 'x'), kNoHurry));
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(failed.error().retry_after.has_value());
  fake().set_fault([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method_text == "PUT") return s3_error(507, "");
    return std::nullopt;
  });
  EXPECT_THAT(wait(write_all(store(), id, 0, "x", kNoHurry)), FailsWith("storage_full"));
}

TEST_F(S3BlobStoreTest, AReadThatIsCutGoesOnWhereItWas) {
  SeededRandom random(5);
  std::string bytes(3'000'000, '\0');
  random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  const FileId id = sealed(bytes);
  int cuts = 4;
  class Cut final : public http::Body {
   public:
    explicit Cut(std::string start, std::uint64_t size) : start_(std::move(start)), size_(size) {}
    Task<Result<std::string_view>> read() override {
      if (!std::exchange(sent_, true)) co_return std::string_view(start_);
      co_return fail(ErrorKind::kInternal, "cut", "cut");
    }
    std::optional<std::uint64_t> size() const override { return size_; }

   private:
    const std::string start_;
    const std::uint64_t size_;
    bool sent_ = false;
  };
  fake().set_fault([&bytes, cuts](const http::Request& request) mutable -> std::optional<http::Response> {
    const auto range = request.fields.find("range");
    if (request.method_text != "GET" || !range || cuts-- <= 0) return std::nullopt;
    const std::size_t first = std::stoull(std::string(range->substr(6)));
    http::Response response = http::text_response(206, "text/plain", "");
    response.stream = std::make_unique<Cut>(bytes.substr(first, 500'000), bytes.size() - first);
    return response;
  });
  EXPECT_EQ(wait(read_all(store(), id)), bytes);
}

// What a writer, whose S3 takes nothing, holds when its deadline has passed.
Task<Result<std::size_t>> write_against_a_wall(S3BlobStore& store, FileId id) {
  auto writer = co_await store.write(id, 0, nullptr, kNoHurry);
  if (!writer) co_return std::unexpected(writer.error());
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 100; ++i) {
    const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
    if (auto taken = co_await (*writer)->write(piece, deadline); !taken) {
      EXPECT_EQ(taken.error().kind, ErrorKind::kTimeout);
      EXPECT_THAT(co_await (*writer)->write("x", kNoHurry), FailsWith(taken.error().code));
      co_return store.buffered_bytes();
    }
  }
  co_return std::size_t{0};
}

TEST_F(S3BlobStoreTest, AWriterHoldsTwoPiecesAndThenWaits) {
  const FileId id = begun("");
  std::promise<void> released;
  fake().set_fault([until = released.get_future().share()](const http::Request& request) {
    if (request.method_text == "PUT") until.wait();
    return std::optional<http::Response>();
  });
  const auto held = wait(write_against_a_wall(store(), id));
  released.set_value();
  EXPECT_EQ(held, std::size_t{10} << 20);
}

TEST_F(S3BlobStoreTest, AStoreWhoseBucketIsGoneFailsItsPing) {
  EXPECT_TRUE(wait(store().ping(kNoHurry)));
  fake().set_fault([](const http::Request&) { return s3_error(404, "NoSuchBucket"); });
  EXPECT_EQ(wait(store().ping(kNoHurry)).error().kind, ErrorKind::kUnavailable);
  fake().set_fault(nullptr);
}

TEST_F(S3BlobStoreTest, PresignedAddressesAreGivenWhereTheyAreWanted) {
  EXPECT_EQ(wait(store().presigned_address(new_id(), {}, kNoHurry)).value(), std::nullopt) << "unless told to";

  testing::FakeS3UnderTest giving({.presigned_life = std::chrono::seconds(60)});
  const FileId id = new_id();
  const auto ask = [&](const FileId& file) {
    return run_on_loop(giving.s3().loop(),
                       giving.store().presigned_address(file, {"image/png", "inline; filename=\"a b.png\""}, kNoHurry));
  };
  const auto address = ask(id);
  ASSERT_TRUE(address && *address);
  EXPECT_THAT(**address, StartsWith(giving.fake().endpoint() + "/" + std::string(FakeS3::kBucket) + "/" +
                                    S3BlobKeys(giving.s3().options().prefix).sealed(id) + "?"));
  for (const char* const part :
       {"X-Amz-Expires=60&", "&X-Amz-Signature=", "&response-cache-control=private%2C%20no-cache",
        "&response-content-disposition=inline%3B%20filename%3D%22a%20b.png%22", "&response-content-type=image%2Fpng"}) {
    EXPECT_THAT(**address, HasSubstr(part));
  }
  EXPECT_THAT(ask(FileId("../else")), FailsWith("not_found"));
}

}  // namespace
}  // namespace parley::media
