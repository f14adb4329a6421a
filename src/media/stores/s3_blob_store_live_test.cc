// Over a real S3: the contract, with pieces as they are and with small ones, and what only S3 has.
#include "media/stores/s3_blob_store.h"

#include <gtest/gtest.h>

#include "media/testing/s3_under_test.h"

namespace parley::media {

namespace testing {

std::unique_ptr<BlobStoreUnderTest> make_s3_store() {
  return std::make_unique<S3UnderTest>();
}
// Many pieces, so that joining has work to do.
std::unique_ptr<BlobStoreUnderTest> make_s3_store_of_small_pieces() {
  return std::make_unique<S3UnderTest>(S3BlobOptions{.piece_bytes = 300'000});
}
// Every writer finds the budget used up.
std::unique_ptr<BlobStoreUnderTest> make_crowded_s3_store() {
  return std::make_unique<S3UnderTest>(S3BlobOptions{.crowded_piece_bytes = 200'000, .buffer_budget = 0});
}

std::vector<MakeBlobStore> makers() {
  if (s3_endpoint().empty()) return {};
  return {make_s3_store, make_s3_store_of_small_pieces, make_crowded_s3_store};
}

INSTANTIATE_TEST_SUITE_P(S3, BlobStoreContract, ::testing::ValuesIn(makers()));

}  // namespace testing

namespace {

TEST(S3BlobStoreLive, KeysOfNobodyAreTheOperatorsMatterNotAMissingFile) {
  if (testing::s3_endpoint().empty()) GTEST_SKIP() << "PARLEY_TEST_S3_ENDPOINT is not set";
  testing::S3UnderTest under_test({}, testing::s3_endpoint(), "parley-test",
                                  {.access_key = "nobody", .secret_key = "x"});
  SystemClock clock;
  SecureRandom random;
  const FileId id(make_uuid_v7(clock.wall_now(), random));
  const auto ping = run_on_loop(under_test.loop(), under_test.store().ping(SteadyTime::max()));
  const auto opened = run_on_loop(under_test.loop(), under_test.store().open(id, SteadyTime::max()));
  const auto begun = run_on_loop(under_test.loop(), under_test.store().create(id, 5, SteadyTime::max()));
  ASSERT_TRUE(!ping && !opened && !begun);
  EXPECT_EQ(ping.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(opened.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(begun.error().kind, ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace parley::media
