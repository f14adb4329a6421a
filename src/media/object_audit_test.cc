#include "media/object_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/testing/stored_media.h"

namespace parley::media {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::StoredMedia;

// Lets a test act between what the audit sees first and what it asks again.
class ChangingRecords final : public BlobRecords {
 public:
  explicit ChangingRecords(BlobRecords& real) : real_(real) {}
  std::function<Task<>()> before_find;
  Task<Result<Page<KnownBlob>>> scan_blobs(std::optional<FileId> after, std::size_t limit,
                                           SteadyTime deadline) override {
    return real_.scan_blobs(std::move(after), limit, deadline);
  }
  Task<Result<std::vector<KnownBlob>>> find_blobs(std::vector<FileId> ids, SteadyTime deadline) override {
    if (before_find) co_await before_find();
    co_return co_await real_.find_blobs(std::move(ids), deadline);
  }

 private:
  BlobRecords& real_;
};

class ObjectAuditTest : public ::testing::Test {
 protected:
  Result<ObjectReport> try_audit(ObjectAudit::Settings settings = {}) {
    settings.step_timeout = std::chrono::hours(1'000'000);
    ObjectAudit audit(records, *media.blobs, media.clock, settings);
    return media.wait(audit.run());
  }
  ObjectReport audit(ObjectAudit::Settings settings = {}) {
    auto report = try_audit(settings);
    EXPECT_TRUE(report) << report.error().detail;
    return report.value_or(ObjectReport{});
  }
  // "fault id", in the order of ids.
  std::vector<std::string> findings(ObjectAudit::Settings settings = {}) {
    std::vector<std::string> all;
    for (const ObjectFinding& finding : audit(settings).listed) {
      all.push_back(std::string(to_string(finding.fault)) + " " + finding.blob.id.value);
    }
    return all;
  }
  void replace_object(const FileId& id, const std::string& bytes) { std::ofstream(media.object(id)) << bytes; }

  StoredMedia media;
  ChangingRecords records{*media.store};
};

TEST_F(ObjectAuditTest, WhereAllIsWellItFindsNothingAndCounts) {
  media.file("one");
  media.remove(media.file("gone"));
  media.upload("under way");
  for (const std::size_t page : {1u, 2u, 200u}) {
    const ObjectReport report = audit({.read_bytes = true, .page = page});
    EXPECT_THAT(report.listed, IsEmpty());
    EXPECT_THAT(report.listed_orphans, IsEmpty());
    EXPECT_EQ(report.files, 1u);
    EXPECT_EQ(report.objects, 3u);
    EXPECT_EQ(report.bytes, 16u);
  }
}

TEST_F(ObjectAuditTest, AnObjectThatNobodyKnowsIsAnOrphanOnceItIsOldEnough) {
  const FileId orphan = media.bare_object("nobody's");
  media.file("somebody's");
  EXPECT_EQ(audit().orphans, 0u);
  EXPECT_EQ(audit().too_young, 1u);
  EXPECT_EQ(audit({.safe_age = {}}).orphans, 1u) << "where no upload can be beginning";
  media.clock.advance(std::chrono::hours(2));
  const ObjectReport report = audit({.page = 1});
  EXPECT_EQ(report.orphans, 1u);
  ASSERT_EQ(report.listed_orphans.size(), 1u);
  EXPECT_EQ(report.listed_orphans.front().id, orphan);
}

TEST_F(ObjectAuditTest, AFileWithoutItsBytesIsFound) {
  const File missing = media.file("missing");
  const File shorter = media.file("shorter");
  const File other = media.file("abc");
  const File fine = media.file("fine");
  std::filesystem::remove(media.object(missing.id));
  replace_object(shorter.id, "short");
  replace_object(other.id, "abd");
  std::vector<std::string> expected{"missing " + missing.id.value, "wrong_size " + shorter.id.value};
  EXPECT_THAT(findings(), ::testing::UnorderedElementsAreArray(expected));
  expected.push_back("wrong_bytes " + other.id.value);
  EXPECT_THAT(findings({.read_bytes = true}), ::testing::UnorderedElementsAreArray(expected));
  EXPECT_THAT(findings({.read_bytes = true, .page = 1}), ::testing::UnorderedElementsAreArray(expected));
}

TEST_F(ObjectAuditTest, BytesOfADeletedFileAreNotMissed) {
  const File gone = media.file("gone");
  media.remove(gone);
  std::filesystem::remove(media.object(gone.id));
  EXPECT_THAT(findings({.read_bytes = true}), IsEmpty());
}

TEST_F(ObjectAuditTest, AnUploadThatLostBytesIsFound) {
  const Upload whole = media.upload("all of it");
  const Upload cut = media.upload("0123456789");
  std::filesystem::resize_file(media.object(cut.id, ".part"), 5);
  EXPECT_THAT(findings(), ElementsAre("upload_incomplete " + cut.id.value));
  std::filesystem::remove(media.object(cut.id, ".part"));
  EXPECT_THAT(findings(), ElementsAre("upload_incomplete " + cut.id.value));
}

TEST_F(ObjectAuditTest, AThumbnailThatIsNotThereIsFoundAndTheOthersNamed) {
  const File cat = media.file("a cat", "image/png");
  ASSERT_TRUE(media.wait(media.files->put_thumbnail(cat.id, ThumbnailSize::kSmall, "small", StoredMedia::kNoHurry)));
  ASSERT_TRUE(media.wait(media.store->set_picture({.tenant = cat.tenant,
                                                   .file = cat.id,
                                                   .image = ImageSize{640, 480},
                                                   .thumbnails = {ThumbnailSize::kSmall, ThumbnailSize::kMedium}},
                                                  StoredMedia::kNoHurry)));
  const ObjectReport report = audit();
  ASSERT_EQ(report.listed.size(), 1u);
  EXPECT_EQ(report.listed.front().fault, ObjectFault::kThumbnailMissing);
  EXPECT_THAT(report.listed.front().thumbnails, ElementsAre(ThumbnailSize::kSmall));
}

Task<> purge(StoredMedia& media, const File& gone) {
  co_await media.store->delete_file(gone.tenant, gone.id, gone.owner, StoredMedia::kNoHurry);
  co_await media.files->remove(gone.id, StoredMedia::kNoHurry);
}

TEST_F(ObjectAuditTest, AFileThatIsDeletedMeanwhileIsNotTakenForOneThatLostItsBytes) {
  const File gone = media.file("gone");
  std::filesystem::remove(media.object(gone.id));
  records.before_find = [&] { return purge(media, gone); };
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(ObjectAuditTest, AnObjectWhoseFileIsThereByTheTimeTheStoreIsAskedIsNoOrphan) {
  media.file("new");
  EXPECT_EQ(audit({.safe_age = {}}).orphans, 0u);
}

TEST_F(ObjectAuditTest, OneObjectThatCannotBeReadIsFoundAndManyAreAFailure) {
  std::vector<File> files;
  for (int i = 0; i < 5; ++i) files.push_back(media.file("bytes"));
  media.blobs->fault = [&](std::string_view call, const FileId& id) -> std::optional<Error> {
    if (call != "open" || id != files[2].id) return std::nullopt;
    return Error{.kind = ErrorKind::kUnavailable, .code = "unavailable"};
  };
  EXPECT_THAT(findings(), ElementsAre("unreadable " + files[2].id.value));
  media.blobs->fault = [&](std::string_view call, const FileId&) -> std::optional<Error> {
    if (call != "open") return std::nullopt;
    return Error{.kind = ErrorKind::kUnavailable, .code = "unavailable"};
  };
  EXPECT_EQ(try_audit({.unreadable_in_a_row = 3}).error().code, "unavailable");
}

TEST_F(ObjectAuditTest, AStoreThatFailsIsAFailureAndNoFinding) {
  media.file("bytes");
  media.blobs->fault = [](std::string_view call, const FileId&) -> std::optional<Error> {
    if (call != "list") return std::nullopt;
    return Error{.kind = ErrorKind::kUnavailable, .code = "unavailable"};
  };
  EXPECT_EQ(try_audit().error().code, "unavailable");
}

TEST_F(ObjectAuditTest, ItStopsSoonWhenItIsAsked) {
  media.file("bytes");
  ObjectAudit audit(records, *media.blobs, media.clock, {});
  audit.stop();
  EXPECT_EQ(media.wait(audit.run()).error().code, "stopped");
}

}  // namespace
}  // namespace parley::media
