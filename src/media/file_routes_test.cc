// GET, DELETE and lists of files, usage, and what messaging asks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/testing/files_fixture.h"

namespace parley::media {
namespace {

namespace json = boost::json;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::text_of;

std::vector<std::string> ids_of(const Answer& answer, const char* name = "items") {
  std::vector<std::string> ids;
  EXPECT_EQ(answer.status, 200) << answer.body;
  if (answer.status != 200) return ids;
  for (const json::value& item : answer.json().at(name).as_array()) ids.push_back(text_of(item.as_object(), "id"));
  return ids;
}
std::string cursor_of(const Answer& answer) {
  const json::value body = answer.json();
  return body.at("next_cursor").is_null() ? "" : text_of(body.as_object(), "next_cursor");
}

class Files : public testing::FilesFixture {
 protected:
  static std::string path(const File& file) { return "/files/" + file.id.value; }
  Answer look_up(const std::string& tenant, const std::string& user, const std::vector<std::string>& ids) {
    json::array files(ids.begin(), ids.end());
    return http::testing::ServiceClient(loop_, *service_, {{"Test-Role", "messaging"}})
        .post("/internal/files", json::serialize(json::object{{"tenant", tenant}, {"user", user}, {"files", files}}));
  }
};

TEST_F(Files, AFileIsToldOfByItsId) {
  clock_.advance(*parse_rfc3339("2026-11-24T09:15:00Z") - clock_.wall_now());
  const File file = stored("abc", {.type = "image/png", .name = "cat.png"});
  put_thumbnail(file, ThumbnailSize::kSmall, "t");
  const Answer answer = client("ada").get(path(file));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.json(), json::value(json::object{{"id", file.id.value},
                                                    {"filename", "cat.png"},
                                                    {"size", 3},
                                                    {"content_type", "image/png"},
                                                    {"sha256", testing::sha256_hex("abc")},
                                                    {"owner_id", "ada"},
                                                    {"created_at", "2026-11-24T09:15:00.000Z"},
                                                    {"image", json::object{{"width", 4}, {"height", 3}}},
                                                    {"thumbnails", json::array{"small"}}}));
}

TEST_F(Files, AListIsTheCallersOwnNewestFirst) {
  std::vector<std::string> newest_first;
  for (int i = 0; i < 7; ++i) {
    if (i % 2 == 0) clock_.advance(std::chrono::milliseconds(1));  // some are of one instant
    newest_first.insert(newest_first.begin(), stored("x").id.value);
    stored("y", {.owner = "bob"});
    stored("z", {.tenant = "beta"});
  }
  std::vector<std::string> paged;
  std::string cursor;
  int pages = 0;
  do {
    const Answer page = client("ada").get("/files?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor));
    for (std::string& id : ids_of(page)) paged.push_back(std::move(id));
    cursor = cursor_of(page);
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(pages, 3);
  std::ranges::sort(newest_first);
  std::vector<std::string> sorted = paged;
  std::ranges::sort(sorted);
  EXPECT_EQ(sorted, newest_first);
  const Answer all = client("ada").get("/files");
  EXPECT_EQ(ids_of(all), paged);
  EXPECT_EQ(cursor_of(all), "");
  EXPECT_THAT(ids_of(client("nobody").get("/files")), IsEmpty());
}

TEST_F(Files, APageGoesOnWhereTheLastOneEndedThoughItsFileIsGone) {
  std::vector<File> files;
  for (int i = 0; i < 4; ++i) {
    clock_.advance(std::chrono::milliseconds(1));
    files.push_back(stored("x"));
  }
  const Answer first = client("ada").get("/files?limit=2");
  EXPECT_THAT(ids_of(first), ElementsAre(files[3].id.value, files[2].id.value));
  EXPECT_EQ(client("ada").remove(path(files[2])).status, 204);
  clock_.advance(std::chrono::milliseconds(1));
  stored("newer");
  EXPECT_THAT(ids_of(client("ada").get("/files?limit=100&cursor=" + cursor_of(first))),
              ElementsAre(files[1].id.value, files[0].id.value));
}

TEST_F(Files, ACursorIsOfOneUsersList) {
  for (int i = 0; i < 2; ++i) {
    stored("x");
    stored("y", {.owner = "bob"});
  }
  const std::string cursor = cursor_of(client("ada").get("/files?limit=1"));
  ASSERT_NE(cursor, "");
  for (const Answer& answer :
       {client("bob").get("/files?cursor=" + cursor), client("ada", "beta").get("/files?cursor=" + cursor),
        client("ada").get("/files?cursor=" + cursor + "A"), client("ada").get("/files?cursor=x")}) {
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "invalid_cursor");
  }
  for (const char* bad : {"limit=0", "limit=101", "limit=x", "order=asc", "cursor="}) {
    EXPECT_EQ(client("ada").get(std::string("/files?") + bad).code(), "validation_failed") << bad;
  }
}

TEST_F(Files, TheOwnerOrAnAdminDeletesAFileOnce) {
  for (auto deleter : {client("ada"), client("root", "acme", "admin")}) {
    const File file = stored("abc");
    EXPECT_EQ(usage().user.stored, 3u);
    const Answer answer = deleter.remove(path(file));
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(usage().user.stored, 0u);
    EXPECT_EQ(deleter.remove(path(file)).status, 404);
    EXPECT_EQ(client("ada").get(path(file)).status, 404);
    EXPECT_THAT(ids_of(client("ada").get("/files")), IsEmpty());
    EXPECT_TRUE(std::filesystem::exists(object_of(file))) << "the sweeper's to remove";
  }
}

TEST_F(Files, AReaderMayNotDeleteAndAStrangerKnowsOfNothing) {
  const File file = stored("abc");
  shown_.show("bob", file.id);
  EXPECT_EQ(client("bob").get(path(file)).status, 200);
  const Answer refused = client("bob").remove(path(file));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.code(), "forbidden");
  for (auto stranger : {client("eve"), client("ada", "beta"), client("root", "beta", "admin")}) {
    EXPECT_EQ(stranger.get(path(file)).status, 404);
    const Answer answer = stranger.remove(path(file));
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "not_found");
  }
  shown_.fail_with(kAway);
  EXPECT_EQ(client("eve").remove(path(file)).status, 503);
  EXPECT_EQ(client("ada").remove("/files/" + testing::kNoFile).status, 503) << "as for one that is there";
  EXPECT_EQ(client("ada").remove("/files/none").status, 404);
  EXPECT_EQ(client("ada").get(path(file)).status, 200);
  EXPECT_EQ(client("ada").remove(path(file)).status, 204);
}

TEST_F(Files, AnAdminDeletesWhatItMayNotRead) {
  const File file = stored("abc");
  auto admin = client("root", "acme", "admin");
  EXPECT_EQ(admin.get(path(file)).status, 404);
  EXPECT_EQ(admin.remove("/files/none").status, 404);
  EXPECT_EQ(admin.remove(path(file)).status, 204);
}

TEST_F(Files, UsageCountsTheCallerAndItsTenant) {
  stored("abc");
  stored("defgh", {.owner = "bob"});
  stored("other", {.tenant = "beta"});
  begin(1000);
  const json::object answer = client("ada").get("/usage").json().as_object();
  EXPECT_EQ(
      answer,
      (json::object{{"user", json::object{{"stored", 3}, {"reserved", 1000}, {"files", 1}, {"limit", nullptr}}},
                    {"tenant", json::object{{"stored", 8}, {"reserved", 1000}, {"files", 2}, {"limit", nullptr}}}}));
}

TEST_F(Files, MessagingLearnsWhichFilesAUserMayRead) {
  const File mine = stored("abc", {.type = "image/png", .name = "a.png"});
  const File shown = stored("x", {.owner = "bob"}), hidden = stored("y", {.owner = "bob"}), gone = stored("z");
  const File foreign = stored("f", {.tenant = "beta"});
  shown_.show("ada", shown.id);
  EXPECT_EQ(client("ada").remove(path(gone)).status, 204);
  const Answer answer = look_up(
      "acme", "ada", {shown.id.value, hidden.id.value, "nothing", gone.id.value, foreign.id.value, mine.id.value});
  EXPECT_THAT(ids_of(answer, "files"), ElementsAre(shown.id.value, mine.id.value));
  EXPECT_EQ(answer.json().at("files").at(1),
            json::value(json::object{
                {"id", mine.id.value}, {"filename", "a.png"}, {"size", 3}, {"content_type", "image/png"}}));
  EXPECT_THAT(ids_of(look_up("acme", "ada", {}), "files"), IsEmpty());
  EXPECT_EQ(look_up("acme", "ada", {mine.id.value, mine.id.value}).status, 400);
  EXPECT_EQ(client("ada").post("/internal/files", R"({"tenant":"acme","user":"ada","files":[]})").status, 401);
  shown_.fail_with(kAway);
  EXPECT_EQ(look_up("acme", "ada", {shown.id.value}).status, 503);
  EXPECT_EQ(look_up("acme", "ada", {mine.id.value}).status, 200);
}

}  // namespace
}  // namespace parley::media
