#include "media/uploads_under_way.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::media {
namespace {

using Turn = UploadsUnderWay::Turn;
using Wanted = UploadsUnderWay::Wanted;
constexpr ByteRange kFirst{0, 10};
constexpr ByteRange kSecond{10, 20};
constexpr ByteRange kBoth{0, 20};

SteadyTime soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

// One that the test's thread may hold.
using HeldTurn = Result<std::shared_ptr<Turn>>;
Task<HeldTurn> take_turn(UploadsUnderWay& under_way, FileId id, Wanted wanted, SteadyTime deadline) {
  auto turn = co_await under_way.take_turn(std::move(id), wanted, deadline);
  if (!turn) co_return fail(std::move(turn.error()));
  co_return std::make_shared<Turn>(std::move(*turn));
}

class UploadsUnderWayTest : public ::testing::Test {
 protected:
  HeldTurn take(const char* id, Wanted wanted, SteadyTime deadline = soon()) {
    return loop_.run(take_turn(under_way_, FileId(id), wanted, deadline));
  }
  UploadsUnderWay under_way_{3};
  http::testing::LoopThread loop_;
};

TEST_F(UploadsUnderWayTest, RangesThatDoNotTouchHaveTurnsAtOnce) {
  auto first = take("a", {.range = kFirst});
  auto second = take("a", {.range = kSecond});
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->interruption(), Interruption::kNone);
  EXPECT_EQ((*second)->interruption(), Interruption::kNone);
}

TEST_F(UploadsUnderWayTest, WhoeverComesLaterWaitsUntilTheOlderHasLetGo) {
  auto older = std::make_unique<HeldTurn>(take("a", {.range = kFirst}));
  ASSERT_TRUE(*older);
  EXPECT_EQ(take("a", {.range = kBoth}, std::chrono::steady_clock::now()).error().code, "unavailable");
  EXPECT_EQ((**older)->interruption(), Interruption::kTakenOver);
  loop_.loop().post([&] { older.reset(); });
  EXPECT_TRUE(take("a", {.range = kBoth}));
}

TEST_F(UploadsUnderWayTest, WhoGivesNoWayIsWaitedForAndHearsNothing) {
  auto older = std::make_unique<HeldTurn>(take("a", {.range = kBoth, .gives_way = false}));
  EXPECT_EQ(take("a", {.range = kFirst}, std::chrono::steady_clock::now()).error().code, "unavailable");
  EXPECT_EQ((**older)->interruption(), Interruption::kNone);
}

TEST_F(UploadsUnderWayTest, AnAbortIsHeardAsOne) {
  auto older = take("a", {.range = kFirst});
  (void)take("a", {.range = kBoth, .of_others = Interruption::kAborted, .gives_way = false},
             std::chrono::steady_clock::now());
  EXPECT_EQ((*older)->interruption(), Interruption::kAborted);
  EXPECT_EQ(interrupted((*older)->interruption()).error().code, "not_found");
}

TEST_F(UploadsUnderWayTest, AreBoundedAndThoseInUseStay) {
  auto a = take("a", {.range = kFirst});
  auto b = take("b", {.range = kFirst});
  auto digests = std::make_shared<Digests>(std::vector<ExpectedDigest>());
  {
    auto c = take("c", {.range = kFirst});
    (*c)->set_front(digests);
  }
  EXPECT_EQ(under_way_.size(), 3u);
  EXPECT_NE(under_way_.front(FileId("c")), nullptr);
  auto d = take("d", {.range = kFirst});
  ASSERT_TRUE(d);
  EXPECT_EQ(under_way_.size(), 3u);
  EXPECT_EQ(under_way_.front(FileId("c")), nullptr);
  EXPECT_EQ(take("e", {.range = kFirst}).error().code, "overloaded");
}

TEST_F(UploadsUnderWayTest, NothingIsRememberedOfWhatSaysNothing) {
  {
    auto a = take("a", {.range = kFirst});
  }
  EXPECT_EQ(under_way_.size(), 0u);
}

TEST_F(UploadsUnderWayTest, AChangeIsSeenThoughItCameAndWentBetweenTwoLooks) {
  const auto before = under_way_.standing(FileId("a"));
  {
    auto a = take("a", {.range = kFirst});
    (*a)->arrived(5);
    EXPECT_EQ(under_way_.standing(FileId("a")).unrecorded, 5u);
    (*a)->recorded();
    EXPECT_EQ(under_way_.standing(FileId("a")).unrecorded, 0u);
  }
  EXPECT_NE(under_way_.standing(FileId("a")), before);
}

TEST_F(UploadsUnderWayTest, AFailureIsToldToItsOwnerAlone) {
  Upload upload;
  upload.id = FileId("a");
  upload.tenant = TenantId("acme");
  upload.owner = UserId("ada");
  under_way_.remember_failure(upload, fail(ErrorKind::kInvalid, "checksum_mismatch", "").error());
  under_way_.forget(upload.id);
  ASSERT_TRUE(under_way_.failure_of(upload.tenant, upload.owner, upload.id));
  EXPECT_FALSE(under_way_.failure_of(TenantId("globex"), upload.owner, upload.id));
  EXPECT_FALSE(under_way_.failure_of(upload.tenant, UserId("eve"), upload.id));
  EXPECT_FALSE(under_way_.failure_of(upload.tenant, upload.owner, FileId("b")));
}

TEST_F(UploadsUnderWayTest, WhatIsReadOverShowsHowFarAndHearsOfAnAbort) {
  {
    auto reading = under_way_.read_over(FileId("a"));
    reading.advance(7);
    EXPECT_TRUE(under_way_.standing(FileId("a")).read_over);
    EXPECT_EQ(under_way_.standing(FileId("a")).verified, 7u);
    EXPECT_FALSE(reading.aborted());
    auto abort = take("a", {.range = kBoth, .of_others = Interruption::kAborted, .gives_way = false});
    EXPECT_TRUE(reading.aborted());
  }
  EXPECT_FALSE(under_way_.standing(FileId("a")).read_over);
}

}  // namespace
}  // namespace parley::media
