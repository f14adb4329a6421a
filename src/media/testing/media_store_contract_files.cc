// The contract's cases about files, their events, and what the sweeper asks and does.
#include "media/testing/media_store_contract.h"

namespace parley::media::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

TEST_P(MediaStoreContract, SeveralFilesComeInTheOrderAskedFor) {
  const File one = stored("ann", 1);
  const File two = stored("bob", 2);
  const File gone = stored("ann", 3);
  const File theirs = stored("ann", 4, "globex");
  const Upload upload = begun("ann", 5);
  ASSERT_TRUE(remove(gone.id));
  const std::vector<FileId> asked{two.id, FileId("x"), gone.id, one.id, theirs.id, upload.id, new_id(), two.id};
  EXPECT_EQ(wait(store().get_files(TenantId("acme"), asked, kNoHurry)), (std::vector<File>{two, one, two}));
  EXPECT_THAT(*wait(store().get_files(TenantId("acme"), {}, kNoHurry)), IsEmpty());
  const std::vector<FileId> most(kMaxFilesAtOnce, one.id);
  EXPECT_EQ(wait(store().get_files(TenantId("acme"), most, kNoHurry))->size(), kMaxFilesAtOnce);
}

TEST_P(MediaStoreContract, FilesAreListedNewestFirstThoseOfAnInstantByIdDownwards) {
  std::vector<File> files;
  for (int i = 0; i < 4; ++i) {
    files.push_back(stored("ann", 1));
    if (i == 1) clock_.advance(std::chrono::milliseconds(1));
  }
  stored("bob", 1);
  stored("ann", 1, "globex");
  begun("ann", 1);
  std::ranges::sort(files, std::greater(), [](const File& file) { return std::pair(file.created_at, file.id); });
  const auto page = list("ann");
  EXPECT_EQ(page.items, files);
  EXPECT_FALSE(page.has_more);
  EXPECT_THAT(list("eve").items, IsEmpty());
}

TEST_P(MediaStoreContract, PagesOfFilesStayTrueWhileFilesComeAndGo) {
  std::vector<File> files;
  for (int i = 0; i < 7; ++i) {
    files.insert(files.begin(), stored("ann", 1));
    if (i % 2 == 0) clock_.advance(std::chrono::milliseconds(1));
  }
  std::ranges::sort(files, std::greater(), [](const File& file) { return std::pair(file.created_at, file.id); });
  const auto first = list("ann", 3);
  EXPECT_EQ(first.items, std::vector(files.begin(), files.begin() + 3));
  EXPECT_TRUE(first.has_more);
  clock_.advance(std::chrono::milliseconds(1));
  stored("ann", 1);                  // before the page
  ASSERT_TRUE(remove(files[2].id));  // where the page ended
  ASSERT_TRUE(remove(files[4].id));  // behind it
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(wait(store().forget_purged(to_purge(), kNoHurry)));
  const auto second = list("ann", 3, FileListPoint{files[2].created_at, files[2].id});
  EXPECT_EQ(second.items, (std::vector<File>{files[3], files[5], files[6]}));
  EXPECT_FALSE(second.has_more);
  EXPECT_THAT(list("ann", 3, FileListPoint{files[6].created_at, files[6].id}).items, IsEmpty());
  EXPECT_THAT(list("bob", 3, FileListPoint{files[2].created_at, files[2].id}).items, IsEmpty());
  EXPECT_THAT(list("ann", 3, FileListPoint{files[2].created_at, files[2].id}, "globex").items, IsEmpty());
}

TEST_P(MediaStoreContract, ADeletedFileIsGoneFromEveryAnswerAndTheQuota) {
  const File file = stored("ann", 700);
  const File other = stored("ann", 100);
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(remove(file.id, "an admin"), file);
  reopen();
  EXPECT_THAT(get_file(file.id), FailsWith("not_found"));
  EXPECT_THAT(*wait(store().get_files(TenantId("acme"), {file.id}, kNoHurry)), IsEmpty());
  EXPECT_EQ(list("ann").items, std::vector{other});
  EXPECT_THAT(remove(file.id), FailsWith("not_found"));
  EXPECT_THAT(wait(store().set_picture({file.tenant, file.id, ImageSize{1, 1}, {}}, kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(usage("ann").user, Counts(100, 0, 1));
  EXPECT_THAT(usage("ann").tenant, Counts(100, 0, 1));
  begun("ann", 900);
}

TEST_P(MediaStoreContract, WhatAPictureIsAndItsThumbnailsAreKept) {
  const File file = stored("ann", 1);
  const auto set = [&](std::optional<ImageSize> image, std::vector<ThumbnailSize> thumbnails) {
    return wait(store().set_picture({file.tenant, file.id, image, std::move(thumbnails)}, kNoHurry));
  };
  ASSERT_TRUE(set(ImageSize{4000, 3000}, {ThumbnailSize::kSmall, ThumbnailSize::kLarge}));
  EXPECT_EQ(get_file(file.id)->image, (ImageSize{4000, 3000}));
  EXPECT_THAT(get_file(file.id)->thumbnails, ElementsAre(ThumbnailSize::kSmall, ThumbnailSize::kLarge));
  EXPECT_EQ(list("ann").items.front().image, (ImageSize{4000, 3000}));
  EXPECT_THAT(scan().front().thumbnails, ElementsAre(ThumbnailSize::kSmall, ThumbnailSize::kLarge));
  ASSERT_TRUE(set(ImageSize{UINT32_MAX, 1}, {ThumbnailSize::kMedium}));
  reopen();
  EXPECT_EQ(get_file(file.id)->image, (ImageSize{UINT32_MAX, 1}));
  EXPECT_THAT(get_file(file.id)->thumbnails, ElementsAre(ThumbnailSize::kMedium));
  ASSERT_TRUE(set({}, {}));
  EXPECT_EQ(get_file(file.id), file);
  EXPECT_EQ(events().size(), 1u) << "of this no event tells";
}

TEST_P(MediaStoreContract, AFileOfAnotherTenantIsUnknown) {
  const File file = stored("ann", 300, "globex");
  EXPECT_THAT(get_file(file.id), FailsWith("not_found"));
  EXPECT_THAT(remove(file.id), FailsWith("not_found"));
  EXPECT_THAT(wait(store().set_picture({TenantId("acme"), file.id, ImageSize{1, 1}, {}}, kNoHurry)),
              FailsWith("not_found"));
  FinishUpload again{TenantId("acme"), file.id, "text/plain", 300, file.sha256};
  EXPECT_THAT(wait(store().finish_upload(again, {}, kNoHurry)), FailsWith("not_found"));
  EXPECT_THAT(wait(store().get_upload(TenantId("acme"), file.id, kNoHurry)), FailsWith("not_found"));
  EXPECT_EQ(wait(store().abort_upload(TenantId("acme"), file.id, kNoHurry)), false);
  EXPECT_THAT(list("ann").items, IsEmpty());
  EXPECT_THAT(usage("ann").tenant, Counts(0, 0, 0));
  EXPECT_EQ(get_file(file.id, "globex"), file);
  const auto own = [&](const char* tenant, const char* user) {
    return wait(store().get_own_file(TenantId(tenant), UserId(user), file.id, kNoHurry));
  };
  EXPECT_EQ(own("globex", "ann"), file);
  EXPECT_THAT(own("globex", "bob"), FailsWith("not_found"));
  EXPECT_THAT(own("acme", "ann"), FailsWith("not_found"));
}

TEST_P(MediaStoreContract, AFileThatNeverWasIsUnknown) {
  stored("ann", 1);
  for (const char* id : {"", "x", "0192F3A1-7D20-7C21-9A00-0000000000F1", "00000000-0000-0000-0000-000000000000",
                         "0192f3a1-7d20-7c21-9a00-0000000000f1"}) {
    EXPECT_THAT(get_file(FileId(id)), FailsWith("not_found")) << id;
    EXPECT_THAT(remove(FileId(id)), FailsWith("not_found")) << id;
    EXPECT_THAT(wait(store().set_picture({TenantId("acme"), FileId(id), {}, {}}, kNoHurry)), FailsWith("not_found"))
        << id;
    EXPECT_THAT(*wait(store().find_blobs({FileId(id)}, kNoHurry)), IsEmpty()) << id;
  }
}

TEST_P(MediaStoreContract, TheUsageOfAStrangerIsNothingWithinTheLimits) {
  const Usage none = usage("nobody");
  EXPECT_EQ(none.user, (UsageCount{0, 0, 0, kLimitsUnderTest.per_user}));
  EXPECT_EQ(none.tenant, (UsageCount{0, 0, 0, kLimitsUnderTest.per_tenant}));
}

TEST_P(MediaStoreContract, EachUploadAndDeletionIsAnEventOfItsOwner) {
  const File one = stored("ann", 10);
  const File of_bob = stored("bob", 20);
  clock_.advance(std::chrono::seconds(1));
  const File elsewhere = stored("ann", 30, "globex");
  ASSERT_TRUE(remove(one.id, "an admin"));
  const File two = stored("ann", 40);
  reopen();
  const auto all = events();
  ASSERT_EQ(all.size(), 5u);
  const auto expect = [&](std::size_t at, const char* type, const File& file, std::int64_t number) {
    EXPECT_EQ(all[at].type, type);
    EXPECT_EQ(all[at].tenant, file.tenant);
    EXPECT_EQ(all[at].scope, events::EventScope::kUser);
    EXPECT_EQ(all[at].key, file.owner.value);
    EXPECT_EQ(all[at].subject, file.id.value);
    EXPECT_EQ(all[at].number, number);
  };
  expect(0, "file.uploaded", one, 1);
  expect(1, "file.uploaded", of_bob, 1);
  expect(2, "file.uploaded", elsewhere, 1);
  expect(3, "file.deleted", one, 2);
  expect(4, "file.uploaded", two, 3);
  EXPECT_EQ(all[1].time, of_bob.created_at);
  EXPECT_THAT(all[4].data, HasSubstr(R"("filename":"a file.txt","size":40,"content_type":"text/plain")"));
  EXPECT_THAT(all[3].data, HasSubstr(R"("deleted_by":"an admin")"));
  EXPECT_NE(all[0].id, all[1].id);
}

TEST_P(MediaStoreContract, TheEventsOfADeletedFileForgetWhatItWas) {
  const File file = stored("ann", 10);
  EXPECT_THAT(events()[0].data, HasSubstr("a file.txt"));
  ASSERT_TRUE(remove(file.id));
  const auto told = events();
  for (const auto& event : told) EXPECT_THAT(event.data, Not(HasSubstr("a file.txt")));
  EXPECT_THAT(told[0].data, HasSubstr(R"("owner_id":"ann")"));
  clock_.advance(std::chrono::hours(1));
  ASSERT_TRUE(wait(store().forget_purged({file.id}, kNoHurry)));
  const auto after = events();
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[0].data, told[0].data);
  EXPECT_EQ(after[1].data, told[1].data);
}

TEST_P(MediaStoreContract, ExpiredUploadsAreForgottenAndTheirRoomIsFree) {
  const Upload first = begun("ann", 100);
  const Upload second = begun(new_upload_of_kind(UploadKind::kTusPartial, "bob", 200));
  ASSERT_TRUE(add_part(first, {0, 10}));
  const Upload put_off = begun("ann", 300);
  ASSERT_TRUE(add_part(put_off, {0, 10}, 2 * kLife));
  const File file = stored("ann", 50);
  clock_.advance(kLife);
  EXPECT_THAT(forget_expired(), IsEmpty()) << "not before now";
  EXPECT_TRUE(get_upload(first));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(get_upload(first)) << "expired, and still known";
  EXPECT_THAT(forget_expired(), UnorderedElementsAre(first.id, second.id)) << "of complete ones no id";
  EXPECT_THAT(get_upload(first), FailsWith("not_found"));
  EXPECT_THAT(wait(store().get_upload(file.tenant, file.id, kNoHurry)), FailsWith("not_found"));
  EXPECT_TRUE(get_upload(put_off));
  EXPECT_EQ(get_file(file.id), file);
  EXPECT_THAT(usage("ann").user, Counts(50, 300, 1));
  EXPECT_THAT(usage("bob").tenant, Counts(50, 300, 1));
  EXPECT_THAT(forget_expired(), IsEmpty());
}

TEST_P(MediaStoreContract, ExpiredUploadsAreForgottenAFewAtATime) {
  std::vector<FileId> begun_ids;
  for (int i = 0; i < 5; ++i) begun_ids.push_back(begun("ann", 1).id);
  for (int i = 0; i < 5; ++i) stored("bob", 1);
  clock_.advance(2 * kLife);
  std::vector<FileId> forgotten;
  for (const std::size_t expected : {2u, 2u, 1u, 0u}) {
    const auto some = forget_expired(2);
    EXPECT_EQ(some.size(), expected);
    forgotten.insert(forgotten.end(), some.begin(), some.end());
  }
  EXPECT_THAT(forgotten, ::testing::UnorderedElementsAreArray(begun_ids));
}

TEST_P(MediaStoreContract, WholeUploadsOfBeforeAreForgotten) {
  const Upload before = begun(new_upload_of_kind(UploadKind::kWhole, "ann", 100));
  const Upload chunked = begun("ann", 100);
  const Upload finished = begun(new_upload_of_kind(UploadKind::kWhole, "ann", 100));
  ASSERT_TRUE(finish(finished, 100));
  clock_.advance(std::chrono::milliseconds(1));
  const WallTime start = clock_.wall_now();
  const Upload since = begun(new_upload_of_kind(UploadKind::kWhole, "ann", 100));
  EXPECT_THAT(*wait(store().forget_whole_uploads(start, 100, kNoHurry)), ElementsAre(before.id));
  EXPECT_THAT(get_upload(before), FailsWith("not_found"));
  EXPECT_TRUE(get_upload(chunked));
  EXPECT_TRUE(get_upload(finished));
  EXPECT_TRUE(get_upload(since));
  EXPECT_THAT(usage("ann").user, Counts(100, 200, 1));
  clock_.advance(std::chrono::milliseconds(1));
  begun(new_upload_of_kind(UploadKind::kWhole, "ann", 1));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(wait(store().forget_whole_uploads(clock_.wall_now(), 1, kNoHurry))->size(), 1u);
  EXPECT_EQ(wait(store().forget_whole_uploads(clock_.wall_now(), 1, kNoHurry))->size(), 1u);
  EXPECT_THAT(*wait(store().forget_whole_uploads(clock_.wall_now(), 1, kNoHurry)), IsEmpty());
}

TEST_P(MediaStoreContract, DeletedFilesWaitForTheirBytesToBeRemoved) {
  const File kept = stored("ann", 1);
  const File one = stored("ann", 2);
  const File two = stored("ann", 3, "globex");
  ASSERT_TRUE(remove(one.id));
  EXPECT_THAT(to_purge(), IsEmpty()) << "not before now";
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_THAT(to_purge(), ElementsAre(one.id));
  ASSERT_TRUE(remove(two.id, "ann", "globex"));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_THAT(to_purge(), ElementsAre(one.id, two.id));
  EXPECT_THAT(to_purge(1), ElementsAre(one.id));
  reopen();
  ASSERT_TRUE(wait(store().forget_purged({one.id, kept.id, new_id(), FileId("x")}, kNoHurry)));
  EXPECT_THAT(to_purge(), ElementsAre(two.id));
  EXPECT_EQ(get_file(kept.id), kept) << "no purge takes a file that is not deleted";
  ASSERT_TRUE(wait(store().forget_purged({one.id, two.id}, kNoHurry)));
  EXPECT_THAT(to_purge(), IsEmpty());
  EXPECT_EQ(scan().size(), 1u);
}

TEST_P(MediaStoreContract, EveryObjectThatShouldBeThereIsKnownOnce) {
  const Upload upload = begun("ann", 10);
  ASSERT_TRUE(add_part(upload, {0, 2}));
  ASSERT_TRUE(add_part(upload, {4, 7}));
  const File file = stored("ann", 20);
  ASSERT_TRUE(
      wait(store().set_picture({file.tenant, file.id, ImageSize{640, 480}, {ThumbnailSize::kSmall}}, kNoHurry)));
  const File deleted = stored("bob", 30, "globex");
  ASSERT_TRUE(remove(deleted.id, "bob", "globex"));
  const Upload aborted = begun("ann", 40);
  ASSERT_TRUE(abort(aborted));
  std::vector<KnownBlob> expected{
      {.id = upload.id, .tenant = upload.tenant, .sealed = false, .size = 7},
      {.id = file.id,
       .tenant = file.tenant,
       .sealed = true,
       .size = 20,
       .sha256 = file.sha256,
       .thumbnails = {ThumbnailSize::kSmall},
       .content_type = file.content_type,
       .image = ImageSize{640, 480}},
      {.id = deleted.id,
       .tenant = deleted.tenant,
       .sealed = true,
       .size = 30,
       .sha256 = deleted.sha256,
       .deleted = true,
       .content_type = deleted.content_type},
  };
  const std::vector<FileId> asked{file.id, aborted.id, deleted.id, new_id(), upload.id};
  EXPECT_EQ(wait(store().find_blobs(asked, kNoHurry)), (std::vector<KnownBlob>{expected[1], expected[2], expected[0]}));
  std::ranges::sort(expected, {}, &KnownBlob::id);
  for (const std::size_t limit : {1u, 2u, 3u, 100u}) EXPECT_EQ(scan(limit), expected) << limit;
}

TEST_P(MediaStoreContract, ItAnswersThatItIsThere) {
  EXPECT_TRUE(wait(store().ping(kNoHurry)));
}

}  // namespace
}  // namespace parley::media::testing
