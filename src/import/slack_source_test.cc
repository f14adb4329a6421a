#include "import/slack_source.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "import/slack_text.h"
#include "import/testing/recording_sink.h"

namespace parley::import {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

constexpr std::string_view kUsers =
    R"([{"id":"U1","name":"alice"},{"id":"U2","name":"bob"},{"id":"U3","name":"twin"},{"id":"U4","name":"twin"},{"id":"U5"},7])";
constexpr std::string_view kChannels =
    R"([{"id":"C1","name":"general","topic":{"value":"All of us"}},{"id":"C2","name":"empty"}])";

RecordingSink read_slack(const TestFolder& folder) {
  ManualClock clock(kNow);
  RecordingSink sink;
  auto source = SlackSource::open(folder.path(), "", clock);
  EXPECT_TRUE(source.has_value());
  EXPECT_TRUE((*source)->read(sink).has_value());
  EXPECT_EQ(sink.bytes, (*source)->total_bytes());
  return sink;
}

RecordingSink read_day(std::string_view messages) {
  TestFolder folder;
  folder.write("users.json", kUsers);
  folder.write("channels.json", kChannels);
  folder.write("general/2020-01-02.json", messages);
  return read_slack(folder);
}

std::string plain(std::string_view text) {
  return slack_plain_text(text, [](std::string_view id) {
    return id == "U1" ? std::string("alice") : id == "C1" ? std::string("general") : std::string();
  });
}

TEST(SlackText, NamesUsersChannelsAndGroups) {
  EXPECT_EQ(plain("hi <@U1>, see <#C1|old-name> and <#C9|other>"), "hi @alice, see #general and #other");
  EXPECT_EQ(plain("<@U9> <@U9|nine> <!here> <!subteam^S1|@team> <!subteam^S1>"), "@U9 @nine @here @team @subteam");
}

TEST(SlackText, WritesLinksWithTheirLabel) {
  EXPECT_EQ(plain("<https://a.example/?x=1&amp;y=2|the page> <https://b.example> <mailto:a@b.example|a@b.example>"),
            "the page (https://a.example/?x=1&y=2) https://b.example a@b.example");
}

TEST(SlackText, ResolvesEntitiesOnceAndLeavesTheRest) {
  EXPECT_EQ(plain("1 &lt; 2 &amp;&amp; &amp;lt; &quot; &"), "1 < 2 && &lt; &quot; &");
  EXPECT_EQ(plain("open <@U1"), "open <@U1");
  EXPECT_EQ(plain("<> a > b <|x>"), " a > b x ()");
  EXPECT_EQ(plain(""), "");
}

TEST(SlackSource, MakesAConversationOfAChannel) {
  const RecordingSink sink = read_day(R"([{"type":"message","user":"U1","text":"hi <@U2>","ts":"1577934245.000200"}])");
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.conversations[0].id.value, "general");
  EXPECT_EQ(sink.conversations[0].topic, "All of us");
  EXPECT_EQ(sink.lines[0].author, "slack:alice");
  EXPECT_EQ(sink.lines[0].content, "hi @bob");
  EXPECT_EQ(sink.lines[0].external_id, "1577934245.000200");
  EXPECT_EQ(format_rfc3339(sink.lines[0].created_at), "2020-01-02T03:04:05.000Z");
}

TEST(SlackSource, PutsAReplyBehindWhatItAnswers) {
  const RecordingSink sink = read_day(
      R"([{"type":"message","user":"U2","text":"re","ts":"1577934246.000100","thread_ts":"1577934245.000200"},
          {"type":"message","user":"U1","text":"root","ts":"1577934245.000200","thread_ts":"1577934245.000200"}])");
  ASSERT_EQ(sink.lines.size(), 2U);
  EXPECT_EQ(sink.lines[0].content, "root");
  EXPECT_EQ(sink.lines[0].reply_to, "");
  EXPECT_EQ(sink.lines[1].reply_to, "1577934245.000200");
}

TEST(SlackSource, KeepsReactionsNamesFilesAndTellsOfEdits) {
  const RecordingSink sink = read_day(
      R"([{"type":"message","user":"U1","text":"look","ts":"1577934245.000200","edited":{"user":"U1","ts":"1577934249.0"},
           "files":[{"name":"plan.pdf"},{"mode":"tombstone"}],
           "reactions":[{"name":"+1","users":["U2","U1","U2"],"count":3},{"name":"","users":["U1"]},{"name":"x"}]}])");
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.lines[0].content, "look\n[file: plan.pdf]\n[file: no longer there]");
  ASSERT_EQ(sink.lines[0].reactions.size(), 1U);
  EXPECT_EQ(sink.lines[0].reactions[0].reaction, "+1");
  EXPECT_EQ(sink.lines[0].reactions[0].users, (std::vector<std::string>{"slack:bob", "slack:alice"}));
  EXPECT_EQ(sink.notes.at("edited messages, imported as last edited"), 1);
  EXPECT_EQ(sink.notes.at("reactions left out"), 2);
}

TEST(SlackSource, LeavesOutWhatNobodySaid) {
  const RecordingSink sink = read_day(
      R"([{"type":"message","subtype":"channel_join","user":"U1","text":"joined","ts":"1.1"},
          {"type":"message","subtype":"channel_topic","user":"U1","text":"set","ts":"1.2"},
          {"type":"other","ts":"1.3"},{"type":"message","user":"U1","text":" ","ts":"1.4"},
          {"type":"message","subtype":"bot_message","username":"cron","text":"done","ts":"1.5"},
          {"type":"message","subtype":"bot_message","bot_id":"B1","text":"done","ts":"1.6"}])");
  EXPECT_EQ(sink.left.at("event: channel_join"), 1);
  EXPECT_EQ(sink.left.at("event: channel_topic"), 1);
  EXPECT_EQ(sink.left.at("event: no message"), 1);
  EXPECT_EQ(sink.left.at("empty text"), 1);
  ASSERT_EQ(sink.lines.size(), 2U);
  EXPECT_EQ(sink.lines[0].author, "slack:cron");
  EXPECT_EQ(sink.lines[1].author, "slack:B1");
  EXPECT_TRUE(sink.faults.empty());
}

TEST(SlackSource, GivesUsersOfOneNameTheirIds) {
  const RecordingSink sink = read_day(
      R"([{"type":"message","user":"U3","text":"a","ts":"1.1"},{"type":"message","user":"U5","text":"a","ts":"1.2"},
          {"type":"message","user":"U99","text":"a","ts":"1.3"}])");
  EXPECT_EQ(sink.lines[0].author, "slack:U3");
  EXPECT_EQ(sink.lines[1].author, "slack:U5");
  EXPECT_EQ(sink.lines[2].author, "slack:U99");
}

TEST(SlackSource, CountsFaultyEntriesAndDaysAndGoesOn) {
  TestFolder folder;
  folder.write("users.json", kUsers);
  folder.write("channels.json", kChannels);
  folder.write("general/2020-01-01.json", "[{");
  folder.write("general/2020-01-02.json", "{}");
  folder.write("general/2020-01-03.json",
               R"([7,{"type":"message","user":"U1","text":"a"},{"type":"message","user":"U1","text":"a","ts":"x"},
                   {"type":"message","user":"U1","text":"later","ts":"99999999999.1"},
                   {"type":"message","user":"U1","text":")" +
                   std::string(kMaxContentBytes + 1, 'x') + R"(","ts":"1.1"},
                   {"type":"message","user":"U1","text":"good","ts":"1.2"}])");
  const RecordingSink sink = read_slack(folder);
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.left.at("day file that cannot be read"), 2);
  EXPECT_EQ(sink.left.at("entry without a time"), 3);
  EXPECT_EQ(sink.left.at("time in the future"), 1);
  EXPECT_EQ(sink.left.at("text over 16 KiB"), 1);
  EXPECT_EQ(sink.faults.size(), 7U);
}

TEST(SlackSource, RefusesAFolderThatIsNoExport) {
  ManualClock clock(kNow);
  TestFolder folder;
  EXPECT_FALSE(SlackSource::open(folder.path(), "", clock).has_value());
  folder.write("users.json", kUsers);
  EXPECT_FALSE(SlackSource::open(folder.path(), "", clock).has_value());
  for (const char* channels :
       {"{}", "[7]", R"([{"id":"C1"}])", R"([{"id":"C1","name":"../etc"}])", R"([{"name":".."}])"}) {
    folder.write("channels.json", channels);
    EXPECT_FALSE(SlackSource::open(folder.path(), "", clock).has_value()) << channels;
  }
  folder.write("channels.json", "[]");
  EXPECT_TRUE(SlackSource::open(folder.path(), "", clock).has_value());
}

}  // namespace
}  // namespace parley::import
