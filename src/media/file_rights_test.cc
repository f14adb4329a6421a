#include "media/file_rights.h"

#include <gtest/gtest.h>

#include "media/testing/shown_files.h"
#include "media/testing/stored_media.h"

namespace parley::media {
namespace {

using testing::ShownFiles;
using testing::StoredMedia;

class FileRightsTest : public ::testing::Test {
 protected:
  Result<File> read(const char* user, const FileId& file, const char* tenant = "acme") {
    return media_.wait(rights_.readable_file({TenantId(tenant), UserId(user)}, file, StoredMedia::kNoHurry));
  }
  void expect_unknown(const Result<File>& answer) {
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(answer.error().detail, not_found("file").error().detail);
  }

  StoredMedia media_;
  ShownFiles attachments_;
  FileRights rights_{*media_.store, &attachments_};
  File file_ = media_.file("hello");  // ann's, of acme
};

TEST_F(FileRightsTest, TheOwnerReadsAndNobodyIsAsked) {
  EXPECT_EQ(read("ann", file_.id)->id, file_.id);
  EXPECT_EQ(attachments_.asked, 0);
}

TEST_F(FileRightsTest, WhoIsShownItReadsIt) {
  attachments_.show("bob", file_.id);
  EXPECT_EQ(read("bob", file_.id)->id, file_.id);
  expect_unknown(read("eve", file_.id));
}

TEST_F(FileRightsTest, UnknownAndNotReadableLookAlikeAndAskTheSame) {
  expect_unknown(read("eve", file_.id));
  EXPECT_EQ(attachments_.asked, 1);
  expect_unknown(read("eve", media_.new_id()));
  EXPECT_EQ(attachments_.asked, 2);
  expect_unknown(read("ann", file_.id, "other"));
  EXPECT_EQ(attachments_.asked, 3);
}

TEST_F(FileRightsTest, AFileThatIsDeletedIsShownToNobody) {
  attachments_.show("bob", file_.id);
  ASSERT_TRUE(media_.wait(media_.store->delete_file(TenantId("acme"), file_.id, UserId("ann"), StoredMedia::kNoHurry)));
  expect_unknown(read("bob", file_.id));
  expect_unknown(read("ann", file_.id));
}

TEST_F(FileRightsTest, WhileMessagingIsAwayOwnersReadAndOthersComeBackLater) {
  attachments_.fail_with(unavailable("unavailable", "no").error());
  EXPECT_TRUE(read("ann", file_.id).has_value());
  for (const FileId& id : {file_.id, media_.new_id()}) {
    const auto answer = read("bob", id);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, ErrorKind::kUnavailable);
  }
}

TEST_F(FileRightsTest, WithoutMessagingOnlyOwnersRead) {
  FileRights alone(*media_.store, nullptr);
  EXPECT_TRUE(media_.wait(alone.readable_file({TenantId("acme"), UserId("ann")}, file_.id, StoredMedia::kNoHurry)));
  expect_unknown(media_.wait(alone.readable_file({TenantId("acme"), UserId("bob")}, file_.id, StoredMedia::kNoHurry)));
}

TEST_F(FileRightsTest, OfSeveralThoseThatAreReadableComeInTheirOrder) {
  const File other = media_.file("other");
  attachments_.show("bob", other.id);
  const auto of = [this, &other](const char* user) {
    const auto files = media_.wait(rights_.readable_files(
        {TenantId("acme"), UserId(user)}, {other.id, media_.new_id(), file_.id}, StoredMedia::kNoHurry));
    std::vector<FileId> ids;
    for (const File& file : *files) ids.push_back(file.id);
    return ids;
  };
  EXPECT_EQ(of("ann"), (std::vector{other.id, file_.id}));
  EXPECT_EQ(of("bob"), std::vector{other.id});
  EXPECT_TRUE(of("eve").empty());
}

}  // namespace
}  // namespace parley::media
