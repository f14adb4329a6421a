// Messages that attach files, through their routes: what may be attached, and what becomes of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "messaging/testing/fake_files.h"
#include "messaging/testing/messaging_fixture.h"

namespace parley::messaging {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AttachmentRoutes : public testing::MessagingFixture {
 protected:
  AttachmentRoutes() : MessagingFixture(&files_) {}
  void SetUp() override { make_group("c1", R"(["bob"])"); }

  testing::FakeFiles files_;
  testing::ServiceClient ada_ = client("ada");
  testing::ServiceClient bob_ = client("bob");
};

TEST_F(AttachmentRoutes, AMessageAttachesWhatItsSenderCanRead) {
  files_.of("ada", "f1", "plan.pdf");
  files_.of("ada", "f2", "photo.png");
  files_.of("bob", "f3", "secret.txt");
  const Answer sent = ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f2","f1"]})");
  ASSERT_EQ(sent.status, 201) << sent.body;
  EXPECT_EQ(sent.json().at("attachments"), (boost::json::array{"f2", "f1"}));
  EXPECT_EQ(sent.json().at("content"), "");
  EXPECT_FALSE(sent.json().as_object().contains("files"));
  const std::string id(sent.json().at("id").as_string());
  EXPECT_EQ(bob_.get("/messages/" + id).json().at("attachments"), (boost::json::array{"f2", "f1"}));

  const Answer refused =
      ada_.post("/messages", R"({"conversation_id":"c1","content":"a","attachments":["none","f1","f3"]})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.code(), "validation_failed");
  EXPECT_THAT(refused.faulty_paths(), ElementsAre("/attachments/0", "/attachments/2"));
  const auto errors = refused.json().at("errors").as_array();
  EXPECT_EQ(errors[0].at("message"), errors[1].at("message")) << "unknown and another's look alike";
  EXPECT_THAT(refused.body, Not(HasSubstr("secret")));
}

TEST_F(AttachmentRoutes, ListsOfAttachmentsAreHeldToTheirBounds) {
  std::string eleven;
  for (int i = 0; i < 11; ++i) eleven += (i > 0 ? ",\"" : "\"") + std::to_string(i) + '"';
  const std::pair<std::string, std::string> cases[] = {
      {"[" + eleven + "]", "/attachments"}, {R"(["f1","f1"])", "/attachments/1"},
      {R"([""])", "/attachments/0"},        {"[7]", "/attachments/0"},
      {"[null]", "/attachments/0"},         {"null", "/attachments"},
      {"\"f1\"", "/attachments"},           {R"([{"id":"f1"}])", "/attachments/0"}};
  for (const auto& [list, path] : cases) {
    const Answer answer =
        ada_.post("/messages", R"({"conversation_id":"c1","content":"a","attachments":)" + list + "}");
    EXPECT_EQ(answer.status, 400) << list;
    EXPECT_THAT(answer.faulty_paths(), ElementsAre(path)) << answer.body;
  }
  EXPECT_EQ(files_.asked, 0);
}

TEST_F(AttachmentRoutes, AnEditKeepsTheAttachmentsAndCannotChangeThem) {
  files_.of("ada", "f1", "plan.pdf");
  const Answer sent = ada_.post("/messages", R"({"conversation_id":"c1","content":"a","attachments":["f1"]})");
  const std::string target = "/messages/" + std::string(sent.json().at("id").as_string());
  const Answer edited = ada_.put(target, R"({"content":""})");
  EXPECT_EQ(edited.status, 200) << edited.body;
  EXPECT_EQ(edited.json().at("attachments"), boost::json::array{"f1"});
  EXPECT_THAT(ada_.put(target, R"({"attachments":[]})").faulty_paths(), ElementsAre("/attachments"));
}

TEST_F(AttachmentRoutes, SilentMediaCosts503ForMessagesWithAttachmentsAlone) {
  files_.of("ada", "f1", "plan.pdf");
  const std::string body = R"({"conversation_id":"c1","content":"a","attachments":["f1"]})";
  const Answer first = ada_.post("/messages", body, {{"Idempotency-Key", "k"}});
  ASSERT_EQ(first.status, 201) << first.body;
  files_.error = Error{ErrorKind::kUnavailable, kFilesUnavailable, "Not now.", {}, std::chrono::seconds(1), true};
  const Answer refused = ada_.post("/messages", body);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.code(), "files_unavailable");
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_EQ(refused.header("X-Parley-Role-Is-Well"), "true");
  EXPECT_EQ(ada_.post("/messages", body, {{"Idempotency-Key", "new"}}).status, 503);
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":"a"})").status, 201);
  const Answer again = ada_.post("/messages", body, {{"Idempotency-Key", "k"}});
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.json().at("id"), first.json().at("id"));
}

TEST_F(AttachmentRoutes, AReplayIsAnsweredWhateverHasBecomeOfTheFiles) {
  files_.of("ada", "f1", "plan.pdf");
  const std::string body = R"({"conversation_id":"c1","attachments":["f1"],"client_message_id":"k"})";
  const Answer first = ada_.post("/messages", body);
  ASSERT_EQ(first.status, 201) << first.body;
  files_.forget("f1");
  const Answer again = ada_.post("/messages", body);
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.json().at("id"), first.json().at("id"));
  EXPECT_THAT(
      ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f1"],"client_message_id":"l"})").faulty_paths(),
      ElementsAre("/attachments/0"));
  EXPECT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f2"],"client_message_id":"k"})").code(),
            "idempotency_mismatch");
}

TEST_F(AttachmentRoutes, AScanTellsWhatIsKnownOfTheFiles) {
  files_.of("ada", "f1", "plan.pdf");
  ASSERT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f1"]})").status, 201);
  ASSERT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","content":"plain"})").status, 201);
  const auto items = role().get("/internal/scan/messages?tenant=acme&conversation_id=c1").json().at("items");
  EXPECT_EQ(boost::json::serialize(items.at(0).at("files")),
            R"([{"id":"f1","filename":"plan.pdf","size":12,"content_type":"application/octet-stream"}])");
  EXPECT_EQ(items.at(1).at("files"), boost::json::array());
}

TEST_F(AttachmentRoutes, MediaTellsOfDeletedFiles) {
  files_.of("ada", "f1", "plan.pdf");
  ASSERT_EQ(ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f1"]})").status, 201);
  const auto tell = [this](const std::string& body) { return role().post("/internal/deleted-files", body); };
  EXPECT_EQ(tell(R"({"tenant":"umbrella","files":["f1"]})").body, R"({"messages":0})");
  EXPECT_EQ(tell(R"({"tenant":"acme","files":["f2","f1"]})").body, R"({"messages":1})");
  EXPECT_EQ(tell(R"({"tenant":"acme","files":["f1"]})").body, R"({"messages":0})");
  EXPECT_EQ(tell(R"({"tenant":"acme","files":[]})").body, R"({"messages":0})");
  const auto page = role().get("/internal/scan/messages?tenant=acme&conversation_id=c1").json();
  EXPECT_EQ(page.at("items").at(0).at("files"), boost::json::array());
  EXPECT_EQ(page.at("items").at(0).at("attachments"), boost::json::array{"f1"});
  // Media's answer was older than its word that the file is gone.
  EXPECT_THAT(ada_.post("/messages", R"({"conversation_id":"c1","attachments":["f1"]})").faulty_paths(),
              ElementsAre("/attachments/0"));

  EXPECT_THAT(tell("{}").faulty_paths(), ElementsAre("/tenant", "/files"));
  EXPECT_THAT(tell(R"({"tenant":"acme","files":["a","a"]})").faulty_paths(), ElementsAre("/files/1"));
  EXPECT_THAT(tell(R"({"tenant":"acme","files":[""],"user":"ada"})").faulty_paths(), ElementsAre("/files/0", "/user"));
  EXPECT_EQ(ada_.post("/internal/deleted-files", R"({"tenant":"acme","files":["f1"]})").status, 401);
}

}  // namespace
}  // namespace parley::messaging
