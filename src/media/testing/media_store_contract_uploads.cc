// The contract's cases about uploads: what they reserve, what comes of them, and what becomes of them.
#include <thread>

#include "media/testing/media_store_contract.h"
#include "media/tus_concat.h"

namespace parley::media::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Ranges = std::vector<ByteRange>;

TEST_P(MediaStoreContract, AnUploadIsFoundAsItWasBegun) {
  Upload upload = new_upload("ann", 700);
  upload.filename = "pl\"an \xF0\x9F\x98\x80.pdf";
  upload.declared_type = "application/pdf";
  upload.expected_sha256 = some_sha256(upload.id);
  upload.chunk_size = 100;
  upload.tus_metadata = "filename cGxhbg==,nothing";
  EXPECT_EQ(begin(upload), upload);
  const Upload plain = begun(new_upload_of_no_size("bob"));
  reopen();
  EXPECT_EQ(get_upload(upload), upload);
  EXPECT_EQ(get_upload(plain), plain);
  EXPECT_THAT(get_file(upload.id), FailsWith("not_found")) << "it is no file yet";
  EXPECT_THAT(events(), IsEmpty());
}

TEST_P(MediaStoreContract, EachKindOfUploadIsKept) {
  for (const auto kind : {UploadKind::kWhole, UploadKind::kChunked, UploadKind::kTus, UploadKind::kTusPartial}) {
    EXPECT_EQ(get_upload(begun(new_upload_of_kind(kind, "ann", 1)))->kind, kind);
  }
}

TEST_P(MediaStoreContract, AnIdIsGivenOnce) {
  const Upload upload = begun("ann", 10);
  EXPECT_THAT(begin(upload), FailsWith("upload_exists"));
  Upload elsewhere = new_upload("ann", 10, "globex");
  elsewhere.id = upload.id;
  EXPECT_THAT(begin(elsewhere), FailsWith("upload_exists"));
  ASSERT_TRUE(finish(upload, 10));
  clock_.advance(2 * kLife);
  EXPECT_THAT(forget_expired(), IsEmpty());
  EXPECT_THAT(begin(elsewhere), FailsWith("upload_exists")) << "it is a file's by now";
  EXPECT_THAT(usage("ann", "globex").user, Counts(0, 0, 0));
}

TEST_P(MediaStoreContract, TheUsersQuotaHoldsToTheByte) {
  const Upload most = begun("ann", 999);
  EXPECT_THAT(begin(new_upload("ann", 2)), FailsWith("quota_exceeded"));
  EXPECT_EQ(begin(new_upload("ann", 2)).error().kind, ErrorKind::kNoRoom);
  begun("ann", 1);
  EXPECT_THAT(begin(new_upload("ann", 1)), FailsWith("quota_exceeded"));
  begun("ann", 0);
  EXPECT_THAT(usage("ann").user, Counts(0, 1000, 0));
  ASSERT_TRUE(finish(most, 999));
  EXPECT_THAT(begin(new_upload("ann", 1)), FailsWith("quota_exceeded")) << "what is stored counts as well";
  begun("ann", 1000, "globex");
}

TEST_P(MediaStoreContract, TheTenantsQuotaHoldsToTheByte) {
  begun("ann", 1000);
  EXPECT_THAT(begin(new_upload("bob", 501)), FailsWith("quota_exceeded"));
  begun("bob", 500);
  EXPECT_THAT(begin(new_upload("eve", 1)), FailsWith("quota_exceeded"));
  EXPECT_THAT(usage("eve").tenant, Counts(0, 1500, 0));
  begun("ann", 1000, "globex");
}

TEST_P(MediaStoreContract, SizesBeyondAllMeasureAreRefusedAndCountNothing) {
  EXPECT_THAT(begin(new_upload("ann", UINT64_MAX)), FailsWith("quota_exceeded"));
  EXPECT_THAT(begin(new_upload("ann", UINT64_MAX / 2 + 1)), FailsWith("quota_exceeded"));
  const Upload upload = begun("ann", 1);
  EXPECT_THAT(reserve(upload, UINT64_MAX, UINT64_MAX), FailsWith("quota_exceeded"));
  EXPECT_THAT(set_size(begun(new_upload_of_no_size("ann")), UINT64_MAX), FailsWith("quota_exceeded"));
  EXPECT_EQ(reserve(upload, 1, UINT64_MAX), 1000u);
  EXPECT_THAT(usage("ann").user, Counts(0, 1000, 0));
}

TEST_P(MediaStoreContract, WhatIsRefusedLeavesNothing) {
  const Upload refused = new_upload("ann", 1001);
  EXPECT_THAT(begin(refused), FailsWith("quota_exceeded"));
  EXPECT_THAT(get_upload(refused), FailsWith("not_found"));
  EXPECT_THAT(usage("ann").user, Counts(0, 0, 0));
  EXPECT_THAT(scan(), IsEmpty());
}

TEST_P(MediaStoreContract, UploadsUnderWayAreSoManyAtOnce) {
  std::vector<Upload> uploads;
  for (std::uint64_t i = 0; i < kLimitsUnderTest.uploads_per_user; ++i) uploads.push_back(begun("ann", 1));
  EXPECT_THAT(begin(new_upload("ann", 1)), FailsWith("too_many_uploads"));
  EXPECT_EQ(begin(new_upload("ann", 1)).error().kind, ErrorKind::kConflict);
  begun("bob", 1);
  begun("ann", 1, "globex");
  ASSERT_TRUE(finish(uploads[0], 1));
  uploads.push_back(begun("ann", 1));
  ASSERT_EQ(abort(uploads[1]), true);
  uploads.push_back(begun("ann", 1));
  EXPECT_THAT(begin(new_upload("ann", 1)), FailsWith("too_many_uploads"));
  clock_.advance(2 * kLife);
  EXPECT_THAT(begin(new_upload("ann", 1)), FailsWith("too_many_uploads")) << "expired, but not forgotten";
  forget_expired();
  begun("ann", 1);
}

TEST_P(MediaStoreContract, MoreIsReservedBetweenTheTwoBounds) {
  const Upload upload = begun(new_upload_of_no_size("ann"));
  EXPECT_EQ(reserve(upload, 10, 400), 400u);
  EXPECT_EQ(reserve(upload, 0, 500), 900u);
  EXPECT_EQ(reserve(upload, 50, 500), 1000u) << "what is left, which is enough";
  EXPECT_THAT(reserve(upload, 1, 500), FailsWith("quota_exceeded"));
  EXPECT_EQ(reserve(upload, 0, 500), 1000u);
  EXPECT_EQ(get_upload(upload)->reserved, 1000u);
  EXPECT_EQ(get_upload(upload)->size, std::nullopt);
  EXPECT_THAT(usage("ann").user, Counts(0, 1000, 0));
  const Upload other = begun(new_upload_of_no_size("bob"));
  EXPECT_EQ(reserve(other, 1, 1000), 500u) << "what the tenant has left";
  EXPECT_THAT(reserve(other, 1, 1), FailsWith("quota_exceeded"));
}

TEST_P(MediaStoreContract, ASizeThatIsSaidLaterReservesWhatIsMissing) {
  const Upload upload = begun(new_upload_of_no_size("ann"));
  ASSERT_EQ(reserve(upload, 100, 100), 100u);
  EXPECT_THAT(set_size(upload, 1001), FailsWith("quota_exceeded"));
  EXPECT_EQ(get_upload(upload)->size, std::nullopt);
  const auto sized = set_size(upload, 1000);
  ASSERT_TRUE(sized);
  EXPECT_EQ(sized->size, 1000u);
  EXPECT_EQ(sized->reserved, 1000u);
  EXPECT_EQ(get_upload(upload), *sized);
  EXPECT_EQ(set_size(upload, 1000), *sized) << "the same again";
  EXPECT_THAT(set_size(upload, 999), FailsWith("upload_size_known"));
  EXPECT_THAT(usage("ann").user, Counts(0, 1000, 0));
}

TEST_P(MediaStoreContract, ASizeSmallerThanWhatWasReservedGivesTheRestBack) {
  const Upload upload = begun(new_upload_of_no_size("ann"));
  ASSERT_EQ(reserve(upload, 900, 900), 900u);
  EXPECT_EQ(set_size(upload, 0)->reserved, 0u);
  EXPECT_THAT(usage("ann").user, Counts(0, 0, 0));
}

TEST_P(MediaStoreContract, PartsAreKeptAscendingAndMerged) {
  const Upload upload = begun("ann", 100);
  EXPECT_EQ(add_part(upload, {40, 60})->present, (Ranges{{40, 60}}));
  EXPECT_EQ(add_part(upload, {0, 20})->present, (Ranges{{0, 20}, {40, 60}}));
  EXPECT_EQ(add_part(upload, {80, 100})->present, (Ranges{{0, 20}, {40, 60}, {80, 100}}));
  EXPECT_EQ(add_part(upload, {20, 30})->present, (Ranges{{0, 30}, {40, 60}, {80, 100}})) << "touches the one before";
  EXPECT_EQ(add_part(upload, {35, 40})->present, (Ranges{{0, 30}, {35, 60}, {80, 100}})) << "touches the one behind";
  EXPECT_EQ(add_part(upload, {50, 70})->present, (Ranges{{0, 30}, {35, 70}, {80, 100}})) << "overlaps";
  EXPECT_EQ(add_part(upload, {45, 46})->present, (Ranges{{0, 30}, {35, 70}, {80, 100}})) << "is within";
  reopen();
  EXPECT_EQ(add_part(upload, {10, 90})->present, (Ranges{{0, 100}})) << "joins all";
  EXPECT_EQ(get_upload(upload)->present, (Ranges{{0, 100}}));
}

TEST_P(MediaStoreContract, PartsOfManyGigabytesAreKeptToTheByte) {
  constexpr std::uint64_t kTerabyte = 1'000'000'000'000;
  Upload upload = new_upload("ann", 10);
  upload.size = 5 * kTerabyte;  // reserved in steps
  begun(upload);
  EXPECT_EQ(add_part(upload, {5 * kTerabyte - 1, 5 * kTerabyte})->present,
            (Ranges{{5 * kTerabyte - 1, 5 * kTerabyte}}));
  EXPECT_EQ(add_part(upload, {0, 3 * kTerabyte})->present,
            (Ranges{{0, 3 * kTerabyte}, {5 * kTerabyte - 1, 5 * kTerabyte}}));
  EXPECT_EQ(get_upload(upload)->size, 5 * kTerabyte);
}

TEST_P(MediaStoreContract, PartsInAnyOrderEndAsOne) {
  const Upload upload = begun("ann", 200);
  std::vector<std::uint64_t> order(200);
  for (std::uint64_t i = 0; i < 200; ++i) order[i] = i;
  for (std::size_t i = 199; i > 0; --i) std::swap(order[i], order[random_.below(i + 1)]);
  for (const std::uint64_t at : order) ASSERT_TRUE(add_part(upload, {at, at + 1}));
  EXPECT_EQ(get_upload(upload)->present, (Ranges{{0, 200}}));
}

TEST_P(MediaStoreContract, APartPutsTheExpiryOffAndNeverBack) {
  const Upload upload = begun("ann", 100);
  clock_.advance(std::chrono::minutes(30));
  const auto later = clock_.wall_now() + kLife;
  EXPECT_EQ(add_part(upload, {0, 10})->expires_at, later);
  const auto again = add_part(upload, {0, 10}, 2 * kLife);
  EXPECT_EQ(again->expires_at, later + kLife);
  EXPECT_EQ(again->present, (Ranges{{0, 10}}));
  EXPECT_EQ(add_part(upload, {10, 20}, std::chrono::milliseconds(1))->expires_at, later + kLife);
  EXPECT_EQ(add_part(upload, {50, 50}, 3 * kLife)->present, (Ranges{{0, 20}})) << "an empty range is none";
  EXPECT_EQ(get_upload(upload)->expires_at, later + 2 * kLife);
}

TEST_P(MediaStoreContract, FinishingMakesAFileOfAnUpload) {
  Upload upload = new_upload("ann", 300);
  upload.filename = "report.txt";
  begun(upload);
  ASSERT_TRUE(add_part(upload, {0, 200}));
  clock_.advance(std::chrono::minutes(1));
  const auto file = finish(upload, 300);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->id, upload.id);
  EXPECT_EQ(file->tenant, TenantId("acme"));
  EXPECT_EQ(file->owner, UserId("ann"));
  EXPECT_EQ(file->filename, "report.txt");
  EXPECT_EQ(file->content_type, "text/plain");
  EXPECT_EQ(file->size, 300u);
  EXPECT_EQ(file->sha256, some_sha256(upload.id));
  EXPECT_EQ(file->created_at, clock_.wall_now());
  EXPECT_EQ(file->image, std::nullopt);
  EXPECT_THAT(file->thumbnails, IsEmpty());
  reopen();
  EXPECT_EQ(get_file(upload.id), *file);
  EXPECT_THAT(usage("ann").user, Counts(300, 0, 1));
  EXPECT_THAT(usage("ann").tenant, Counts(300, 0, 1));
  const auto complete = get_upload(upload);
  ASSERT_TRUE(complete) << "it is remembered";
  EXPECT_TRUE(complete->complete);
  EXPECT_EQ(complete->present, (Ranges{{0, 300}}));
  EXPECT_EQ(complete->reserved, 0u);
}

TEST_P(MediaStoreContract, FinishingAgainAnswersTheSameFileAndDoesNothing) {
  const Upload upload = begun("ann", 300);
  const auto file = finish(upload, 300);
  clock_.advance(std::chrono::minutes(1));
  reopen();
  EXPECT_EQ(finish(upload, 300), *file);
  clock_.advance(2 * kLife);
  forget_expired();
  EXPECT_THAT(get_upload(upload), FailsWith("not_found"));
  EXPECT_EQ(finish(upload, 300), *file) << "the upload is forgotten, the file is not";
  EXPECT_THAT(usage("ann").user, Counts(300, 0, 1));
  EXPECT_EQ(events().size(), 1u);
  ASSERT_TRUE(remove(upload.id));
  EXPECT_THAT(finish(upload, 300), FailsWith("not_found"));
}

TEST_P(MediaStoreContract, AnEmptyFileIsAFile) {
  const File file = stored("ann", 0);
  EXPECT_EQ(file.size, 0u);
  EXPECT_THAT(usage("ann").user, Counts(0, 0, 1));
  EXPECT_THAT(wait(store().get_upload(file.tenant, file.id, kNoHurry))->present, IsEmpty());
}

TEST_P(MediaStoreContract, WhatWasReservedTooMuchIsGivenBackWithTheFile) {
  const Upload upload = begun(new_upload_of_no_size("ann"));
  ASSERT_EQ(reserve(upload, 1, 800), 800u);
  ASSERT_TRUE(finish(upload, 300));
  EXPECT_THAT(usage("ann").user, Counts(300, 0, 1));
  EXPECT_EQ(get_upload(upload)->size, 300u);
}

TEST_P(MediaStoreContract, WhatWasReservedTooLittleMustHaveRoom) {
  const Upload upload = begun("ann", 300);
  begun("ann", 500);
  EXPECT_THAT(finish(upload, 501), FailsWith("quota_exceeded"));
  EXPECT_FALSE(get_upload(upload)->complete);
  ASSERT_TRUE(finish(upload, 500));
  EXPECT_THAT(usage("ann").user, Counts(500, 500, 1));
}

TEST_P(MediaStoreContract, AConcatenationTakesItsPartialsAndTheirReservations) {
  const Upload first = begun(new_upload_of_kind(UploadKind::kTusPartial, "ann", 400));
  const Upload second = begun(new_upload_of_kind(UploadKind::kTusPartial, "ann", 500));
  ASSERT_TRUE(add_part(first, {0, 400}));
  Upload whole = new_upload_of_kind(UploadKind::kTus, "ann", 0);
  whole.size = 900;
  begun(whole);
  ASSERT_TRUE(finish(whole, 900, {first.id, second.id, first.id, new_id()}));
  EXPECT_THAT(usage("ann").user, Counts(900, 0, 1));
  EXPECT_THAT(get_upload(first), FailsWith("not_found"));
  EXPECT_THAT(get_upload(second), FailsWith("not_found"));
  EXPECT_TRUE(finish(whole, 900, {first.id, second.id}));
  for (int i = 0; i < 5; ++i) begun("ann", 1);
}

TEST_P(MediaStoreContract, AConcatenationTakesNothingElse) {
  const Upload whole = begun("ann", 100);
  const Upload of_another_kind = begun(new_upload_of_kind(UploadKind::kTus, "ann", 10));
  const Upload of_another = begun(new_upload_of_kind(UploadKind::kTusPartial, "bob", 10));
  Upload of_another_tenant = new_upload("ann", 10, "globex");
  of_another_tenant.kind = UploadKind::kTusPartial;
  begun(of_another_tenant);
  const File file = stored("ann", 20);
  ASSERT_TRUE(finish(whole, 100, {of_another_kind.id, of_another.id, of_another_tenant.id, file.id, whole.id}));
  EXPECT_TRUE(get_upload(of_another_kind));
  EXPECT_TRUE(get_upload(of_another));
  EXPECT_TRUE(get_upload(of_another_tenant));
  EXPECT_TRUE(get_file(file.id));
  EXPECT_THAT(usage("ann").user, Counts(120, 10, 2));
  EXPECT_THAT(usage("ann").tenant, Counts(120, 20, 2));
}

TEST_P(MediaStoreContract, AbortingGivesBackWhatWasReserved) {
  const Upload upload = begun("ann", 700);
  ASSERT_TRUE(add_part(upload, {0, 100}));
  EXPECT_EQ(abort(upload), true);
  EXPECT_EQ(abort(upload), false);
  EXPECT_THAT(get_upload(upload), FailsWith("not_found"));
  EXPECT_THAT(add_part(upload, {0, 100}), FailsWith("not_found"));
  EXPECT_THAT(finish(upload, 700), FailsWith("not_found"));
  EXPECT_THAT(usage("ann").user, Counts(0, 0, 0));
  EXPECT_THAT(events(), IsEmpty());
}

TEST_P(MediaStoreContract, ACompleteUploadTakesNothingMore) {
  const Upload upload = begun("ann", 300);
  ASSERT_TRUE(finish(upload, 300));
  EXPECT_THAT(add_part(upload, {0, 10}), FailsWith("not_found"));
  EXPECT_THAT(reserve(upload, 0, 10), FailsWith("not_found"));
  EXPECT_THAT(set_size(upload, 300), FailsWith("not_found"));
  EXPECT_THAT(abort(upload), FailsWith("upload_complete"));
  EXPECT_TRUE(get_file(upload.id));
}

TEST_P(MediaStoreContract, AnUploadOfAnotherTenantIsUnknown) {
  const Upload theirs = begun("ann", 300, "globex");
  Upload upload = theirs;
  upload.tenant = TenantId("acme");
  EXPECT_THAT(get_upload(upload), FailsWith("not_found"));
  EXPECT_THAT(add_part(upload, {0, 10}), FailsWith("not_found"));
  EXPECT_THAT(reserve(upload, 0, 10), FailsWith("not_found"));
  EXPECT_THAT(set_size(upload, 300), FailsWith("not_found"));
  EXPECT_THAT(finish(upload, 300), FailsWith("not_found"));
  EXPECT_EQ(abort(upload), false);
  EXPECT_EQ(get_upload(theirs), theirs);
  EXPECT_THAT(usage("ann").user, Counts(0, 0, 0));
  EXPECT_THAT(usage("ann").tenant, Counts(0, 0, 0));
  EXPECT_THAT(usage("ann", "globex").user, Counts(0, 300, 0));
}

TEST_P(MediaStoreContract, AnUploadThatNeverWasIsUnknown) {
  Upload upload = new_upload("ann", 1);
  for (const char* id : {"", "x", "0192F3A1-7D20-7C21-9A00-0000000000F1", "00000000-0000-0000-0000-000000000000",
                         "0192f3a1-7d20-7c21-9a00-0000000000f1"}) {
    upload.id = FileId(id);
    EXPECT_THAT(get_upload(upload), FailsWith("not_found")) << id;
    EXPECT_THAT(add_part(upload, {0, 10}), FailsWith("not_found")) << id;
    EXPECT_THAT(reserve(upload, 0, 10), FailsWith("not_found")) << id;
    EXPECT_THAT(set_size(upload, 300), FailsWith("not_found")) << id;
    EXPECT_THAT(finish(upload, 300), FailsWith("not_found")) << id;
    EXPECT_EQ(abort(upload), false) << id;
  }
}

TEST_P(MediaStoreContract, UploadsOfTusThatWaitForNothingMoreAreToBeFinished) {
  const auto tus = [this](const char* owner, std::uint64_t bytes, const char* tenant = "acme") {
    Upload upload = new_upload(owner, bytes, tenant);
    upload.kind = UploadKind::kTus;
    return begun(upload);
  };
  const Upload whole = tus("ann", 10), elsewhere = tus("bob", 20, "globex"), cut = tus("ann", 30),
               holey = tus("ann", 9);
  ASSERT_TRUE(add_part(whole, {0, 10}, 3 * kLife));
  ASSERT_TRUE(add_part(elsewhere, {0, 20}, 2 * kLife));
  ASSERT_TRUE(add_part(cut, {0, 29}));
  ASSERT_TRUE(add_part(holey, {0, 4}));
  ASSERT_TRUE(add_part(holey, {5, 9}));
  const Upload of_no_size = begun(new_upload_of_no_size("bob"));
  ASSERT_TRUE(add_part(of_no_size, {0, 5}));
  const Upload partial = begun(new_upload_of_kind(UploadKind::kTusPartial, "bob", 5));
  ASSERT_TRUE(add_part(partial, {0, 5}));
  const Upload chunked = begun(new_upload_of_kind(UploadKind::kChunked, "bob", 5));
  ASSERT_TRUE(add_part(chunked, {0, 5}));
  EXPECT_THAT(to_finish(), ElementsAre(elsewhere.id, whole.id)) << "those that expire first come first";
  EXPECT_THAT(to_finish(1), ElementsAre(elsewhere.id));
  clock_.advance(10 * kLife);
  EXPECT_THAT(to_finish(), ElementsAre(elsewhere.id, whole.id)) << "expired ones, too";
  ASSERT_TRUE(finish(elsewhere, 20));
  ASSERT_TRUE(abort(whole));
  EXPECT_THAT(to_finish(), IsEmpty());
}

TEST_P(MediaStoreContract, AnUploadOfNoByteAndOneMadeOfPartialOnesAreToBeFinishedFromTheStart) {
  const Upload empty = begun(new_upload_of_kind(UploadKind::kTus, "ann", 0));
  Upload made = new_upload_of_kind(UploadKind::kTus, "ann", 0);
  made.size = 10;
  made.tus_metadata = pack({"filename YQ==", "final;/tus/0192f3a1-7d20-7c21-9a00-0000000000f1"});
  made.expires_at += std::chrono::seconds(1);
  begun(made);
  Upload misleading = new_upload_of_kind(UploadKind::kTus, "ann", 10);
  misleading.tus_metadata = "final;/tus/0192f3a1-7d20-7c21-9a00-0000000000f1";
  begun(misleading);
  EXPECT_THAT(to_finish(), ElementsAre(empty.id, made.id));
}

TEST_P(MediaStoreContract, UploadsThatBeginAtOnceNeverShareRoom) {
  std::vector<Upload> uploads;
  for (int i = 0; i < 20; ++i) uploads.push_back(new_upload(("user" + std::to_string(i)).c_str(), 100));
  std::atomic<int> let_in = 0;
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < uploads.size(); ++i) {
      threads.emplace_back([&, i] {
        if (wait(store().begin_upload(uploads[i], kNoHurry), i % 2)) ++let_in;
      });
    }
  }
  EXPECT_EQ(let_in, 15);
  EXPECT_THAT(usage("user0").tenant, Counts(0, 1500, 0));
}

TEST_P(MediaStoreContract, AnUploadFinishedBySeveralAtOnceIsOneFile) {
  const Upload upload = begun("ann", 300);
  std::vector<Result<File>> files(8);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < files.size(); ++i) {
      threads.emplace_back([&, i] { files[i] = finish(upload, 300, {}, i % 2); });
    }
  }
  ASSERT_TRUE(files.front());
  for (const auto& file : files) EXPECT_EQ(file, *files.front());
  EXPECT_THAT(usage("ann").user, Counts(300, 0, 1));
  EXPECT_EQ(events().size(), 1u);
}

TEST_P(MediaStoreContract, PartsThatArriveAtOnceAreAllKept) {
  const Upload upload = begun("ann", 160);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < 16; ++i) {
      threads.emplace_back([&, i] {
        const ByteRange range{i * 10, i * 10 + 10};
        const PartArrived part{upload.tenant, upload.id, range, upload.expires_at};
        EXPECT_TRUE(wait(store().add_part(part, kNoHurry), i % 2));
      });
    }
  }
  EXPECT_THAT(get_upload(upload)->present, ElementsAre(ByteRange{0, 160}));
}

}  // namespace
}  // namespace parley::media::testing
