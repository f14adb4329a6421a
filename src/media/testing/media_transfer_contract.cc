#include "media/testing/media_transfer_contract.h"

#include "base/check.h"

namespace parley::media::testing {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace transfer;  // NOLINT(google-build-using-namespace): the port under test

MediaTransferContract::~MediaTransferContract() {
  from_.reset();
  to_.reset();
  loops_.stop();
}

void MediaTransferContract::SetUp() {
  from_ = GetParam().from(clock_, random_);
  to_ = GetParam().to(clock_, random_);
  if (!from_ || !to_) GTEST_SKIP() << "an engine of this pair is not at hand";
}

Upload MediaTransferContract::begun(MediaMoveSide& side, const char* owner, std::uint64_t bytes, UploadKind kind) {
  clock_.advance(std::chrono::milliseconds(11));
  Upload upload;
  upload.id = FileId(make_uuid_v7(clock_.wall_now(), random_));
  upload.tenant = TenantId("acme");
  upload.owner = UserId(owner);
  upload.kind = kind;
  upload.filename = "ein Bild.png";
  upload.declared_type = "image/png";
  upload.size = bytes;
  upload.reserved = bytes;
  upload.created_at = clock_.wall_now();
  upload.expires_at = clock_.wall_now() + std::chrono::hours(1);
  auto begun = wait(side.store().begin_upload(std::move(upload), kNoHurry));
  CHECK(begun.has_value());
  return *begun;
}

File MediaTransferContract::stored(MediaMoveSide& side, const char* owner, std::uint64_t bytes) {
  const Upload upload = begun(side, owner, bytes);
  FinishUpload command{upload.tenant, upload.id, "image/png", bytes, sha256(upload.id.value)};
  auto file = wait(side.store().finish_upload(std::move(command), {}, kNoHurry));
  CHECK(file.has_value());
  return *file;
}

void MediaTransferContract::remove(MediaMoveSide& side, const File& file) {
  ASSERT_TRUE(wait(side.store().delete_file(file.tenant, file.id, UserId("boss"), kNoHurry)));
}

Usage MediaTransferContract::usage(MediaMoveSide& side, const char* user) {
  auto usage = wait(side.store().get_usage(TenantId("acme"), UserId(user), kNoHurry));
  CHECK(usage.has_value());
  return *usage;
}

void MediaTransferContract::fill(MediaMoveSide& side) {
  picture_ = stored(side, "ann", 100);
  ASSERT_TRUE(wait(side.store().set_picture(
      {picture_.tenant, picture_.id, ImageSize{640, 480}, {ThumbnailSize::kSmall, ThumbnailSize::kLarge}}, kNoHurry)));
  stored(side, "ann", 30);
  stored(side, "bob", 7);
  remove(side, stored(side, "bob", 9));
  under_way_ = begun(side, "ann", 50);
  auto part = wait(side.store().add_part(
      {under_way_.tenant, under_way_.id, {10, 20}, clock_.wall_now() + std::chrono::hours(2)}, kNoHurry));
  CHECK(part.has_value());
  under_way_ = *part;
  begun(side, "bob", 3, UploadKind::kTus);
}

std::int64_t MediaTransferContract::copied(MediaMoveSide& from, MediaMoveSide& to) {
  const auto source = from.source();
  const auto target = to.target();
  const auto claimed = claim_target(*source, *target);
  EXPECT_TRUE(claimed) << claimed.error().detail;
  const auto written = copy(*source, *target);
  EXPECT_TRUE(written) << written.error().detail;
  return written.value_or(-1);
}

MediaComparison MediaTransferContract::compared(MediaMoveSide& from, MediaMoveSide& to) {
  const auto comparison = compare(*from.source(), *to.target());
  CHECK(comparison.has_value());
  return *comparison;
}

void MediaTransferContract::finish(MediaMoveSide& from, MediaMoveSide& to) {
  const auto end = from.source()->log_end();
  ASSERT_TRUE(end);
  ASSERT_TRUE(to.target()->finish(*end));
}

TEST_P(MediaTransferContract, TheTargetKnowsAndServesWhatTheSourceDid) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  const Usage ann = usage(*from_, "ann");
  const auto head = wait(from_->log().head(kNoHurry));
  from_->stop();
  EXPECT_EQ(copied(*from_, *to_), 4 + 6);
  const auto comparison = compared(*from_, *to_);
  EXPECT_THAT(comparison.differences, IsEmpty());
  EXPECT_TRUE(comparison.equal());
  EXPECT_EQ(comparison.target.files, 4);
  EXPECT_EQ(comparison.target.bytes, 146u);
  const auto early = to_->serve();
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, "move_unfinished");
  finish(*from_, *to_);

  ASSERT_TRUE(to_->serve());
  EXPECT_EQ(usage(*to_, "ann"), ann);
  const auto picture = wait(to_->store().get_file(TenantId("acme"), picture_.id, kNoHurry));
  ASSERT_TRUE(picture);
  EXPECT_EQ(picture->image, (ImageSize{640, 480}));
  EXPECT_THAT(picture->thumbnails, SizeIs(2));
  EXPECT_EQ(wait(to_->store().get_upload(under_way_.tenant, under_way_.id, kNoHurry)).value_or(Upload{}), under_way_);
  EXPECT_EQ(*wait(to_->log().head(kNoHurry)), *head);
  stored(*to_, "ann", 1);
  EXPECT_GT(wait(to_->log().head(kNoHurry))->value, head->value);
  EXPECT_THAT(to_->problems(loops_.at(0)), IsEmpty());
}

TEST_P(MediaTransferContract, ALaterPassCopiesOnlyWhatChanged) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  copied(*from_, *to_);
  remove(*from_, picture_);
  ASSERT_TRUE(wait(from_->store().abort_upload(under_way_.tenant, under_way_.id, kNoHurry)));
  clock_.advance(std::chrono::hours(48));
  const auto purged = wait(from_->store().files_to_purge(clock_.wall_now() - std::chrono::hours(47), 10, kNoHurry));
  ASSERT_TRUE(purged);
  EXPECT_THAT(*purged, SizeIs(2));
  ASSERT_TRUE(wait(from_->store().forget_purged({purged->front()}, kNoHurry)));
  from_->stop();
  EXPECT_LE(copied(*from_, *to_), 1);
  EXPECT_THAT(compared(*from_, *to_).differences, IsEmpty());
  EXPECT_EQ(copied(*from_, *to_), 0);
}

TEST_P(MediaTransferContract, WhatMessagingWasNotToldOfIsStillToBeTold) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  const auto told = wait(from_->log().head(kNoHurry));
  ASSERT_TRUE(wait(from_->log().save_offset(kTeller, *told, kNoHurry)));
  remove(*from_, picture_);
  stored(*from_, "ann", 2);
  from_->stop();
  copied(*from_, *to_);
  finish(*from_, *to_);
  ASSERT_TRUE(to_->serve());
  EXPECT_EQ(*wait(to_->log().load_offset(kTeller, kNoHurry)), *told);
  const auto batch = wait(to_->log().read(*told, 10, kNoHurry));
  ASSERT_TRUE(batch);
  ASSERT_THAT(batch->events, SizeIs(2));
  EXPECT_EQ(batch->events[0].type, "file.deleted");
  EXPECT_EQ(batch->events[0].subject, picture_.id.value);
  EXPECT_EQ(batch->events[1].type, "file.uploaded");
  EXPECT_THAT(batch->events[1].data, ::testing::HasSubstr("ein Bild.png"));
}

TEST_P(MediaTransferContract, ThereAndBackIsTheSame) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  copied(*from_, *to_);
  finish(*from_, *to_);
  const auto third = GetParam().from(clock_, random_);
  copied(*to_, *third);
  EXPECT_THAT(compared(*to_, *third).differences, IsEmpty());
  EXPECT_EQ(compared(*to_, *third).target.checksum.hex(), compared(*from_, *to_).source.checksum.hex());
  finish(*to_, *third);
  ASSERT_TRUE(third->serve());
  EXPECT_THAT(third->problems(loops_.at(0)), IsEmpty());
}

TEST_P(MediaTransferContract, ADifferenceIsNamed) {
  ASSERT_TRUE(from_->serve());
  fill(*from_);
  from_->stop();
  copied(*from_, *to_);
  const auto target = to_->target();
  auto files = target->files({});
  ASSERT_TRUE(files);
  files->front().file.filename = "another.png";
  ASSERT_TRUE(target->put_files(std::span(&files->front(), 1)));
  const auto comparison = compare(*from_->source(), *target);
  ASSERT_TRUE(comparison);
  EXPECT_FALSE(comparison->equal());
  EXPECT_THAT(comparison->differences,
              ::testing::ElementsAre("tenant acme, file " + files->front().file.id.value + ": not the same"));
}

}  // namespace parley::media::testing
