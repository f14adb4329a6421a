#include "import/batch_sender.h"

#include <gtest/gtest.h>

#include <sstream>

#include "import/testing/fake_api.h"

namespace parley::import {
namespace {

struct Sending : ::testing::Test {
  Result<> send(std::vector<ImportLine> lines, const std::string& id = "c1") {
    Batch batch{{ConversationId(id), "name of " + id, {}}, {}, 0};
    for (ImportLine& line : lines) batch.lines.push_back(encode_line(std::move(line)));
    BatchSender sender(api, opened, report, clock, random,
                       {.retry_for = std::chrono::seconds(60), .pause = [this](std::chrono::milliseconds time) {
                          pauses.push_back(time);
                          clock.advance(time);
                        }});
    return sender.send(std::move(batch));
  }
  static ImportLine line(const std::string& id, const std::string& author = "irc:a", const std::string& reply_to = {}) {
    return {id, author, "text of " + id, WallTime{}, reply_to, {}, "file:" + id};
  }
  bool summary_has(std::string_view text) { return report.summary("irc", false).find(text) != std::string::npos; }

  FakeApi api;
  OpenedConversations opened;
  std::ostringstream err;
  ManualClock clock;
  SeededRandom random{7};
  ImportReport report{err, Progress::kNone, clock};
  std::vector<std::chrono::milliseconds> pauses;
};

TEST_F(Sending, OpensTheConversationOnceAndStoresInOrder) {
  ASSERT_TRUE(send({line("1"), line("2")}).has_value());
  ASSERT_TRUE(send({line("3")}).has_value());
  EXPECT_EQ(api.calls, 3);
  const auto& messages = api.conversations.at("c1").messages;
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[2].at("external_id").as_string(), "3");
  EXPECT_EQ(api.conversations.at("c1").name, "name of c1");
  EXPECT_TRUE(summary_has("3 (3 created, 0 existing)"));
}

TEST_F(Sending, AddsNothingTheSecondTime) {
  ASSERT_TRUE(send({line("1"), line("2")}).has_value());
  ASSERT_TRUE(send({line("1"), line("2")}).has_value());
  EXPECT_EQ(api.conversations.at("c1").messages.size(), 2U);
  EXPECT_TRUE(summary_has("4 (2 created, 2 existing)"));
}

TEST_F(Sending, EncodesAnIdThatIsNoPlainPath) {
  ASSERT_TRUE(send({line("1")}, "a/b ?#ß%").has_value());
  EXPECT_EQ(api.conversations.at("a/b ?#ß%").messages.size(), 1U);
}

TEST_F(Sending, AsksAgainWithGrowingPausesUntilTheServerIsBack) {
  int times = 0;
  api.before = [&](std::string_view, std::string_view) -> std::optional<FakeApi::Answer> {
    switch (++times) {
      case 1:
        return FakeApi::lost();
      case 2:
        return FakeApi::problem(502);
      case 3:
        return FakeApi::problem(503);
      case 4:
        return FakeApi::problem(504);
      case 5:
        return FakeApi::problem(429);
      case 6:
        return fail(ErrorKind::kTimeout, "deadline_exceeded", "slow");
      default:
        return std::nullopt;
    }
  };
  ASSERT_TRUE(send({line("1")}).has_value());
  ASSERT_EQ(pauses.size(), 6U);
  EXPECT_GE(pauses[0], BatchSender::kFirstPause / 2);
  EXPECT_LE(pauses[0], BatchSender::kFirstPause);
  EXPECT_GT(pauses[5], pauses[0]);
  for (const auto pause : pauses) EXPECT_LE(pause, BatchSender::kLongestPause);
}

TEST_F(Sending, WaitsAsLongAsRetryAfterSays) {
  bool first = true;
  api.before = [&](std::string_view, std::string_view) -> std::optional<FakeApi::Answer> {
    if (!std::exchange(first, false)) return std::nullopt;
    return ApiAnswer{503, "", std::chrono::seconds(7)};
  };
  ASSERT_TRUE(send({line("1")}).has_value());
  EXPECT_EQ(pauses, (std::vector<std::chrono::milliseconds>{std::chrono::seconds(7)}));
}

TEST_F(Sending, GivesUpWithinItsLimit) {
  api.before = [](std::string_view, std::string_view) { return std::optional(FakeApi::lost()); };
  const SteadyTime start = clock.steady_now();
  const auto sent = send({line("1")});
  ASSERT_FALSE(sent.has_value());
  EXPECT_NE(sent.error().detail.find("cannot be reached"), std::string::npos);
  EXPECT_NE(sent.error().detail.find("for 60 s (--retry-for)"), std::string::npos) << sent.error().detail;
  EXPECT_EQ(clock.steady_now() - start, std::chrono::seconds(60));
}

TEST_F(Sending, DoesNotWaitForAnAnswerThatWouldComeTooLate) {
  std::chrono::seconds retry_after{7};
  api.before = [&](std::string_view, std::string_view) -> std::optional<FakeApi::Answer> {
    return ApiAnswer{503, "", std::exchange(retry_after, std::chrono::seconds(54))};
  };
  EXPECT_EQ(send({line("1")}).error().code, "import_gave_up");
  EXPECT_EQ(pauses, (std::vector<std::chrono::milliseconds>{std::chrono::seconds(7)}));
}

TEST_F(Sending, SaysAtOnceForHowLongItAsksAgain) {
  api.before = [](std::string_view, std::string_view) { return std::optional(FakeApi::lost()); };
  ASSERT_FALSE(send({line("1")}));
  const std::string told = err.str();
  EXPECT_TRUE(told.starts_with("The server cannot be reached. Asking again, for 60 s at most (--retry-for).\n"))
      << told;
  EXPECT_EQ(std::ranges::count(told, '\n'), 1) << "a quiet import says it once a minute";
}

TEST_F(Sending, StoresOnceWhenTheAnswerIsLost) {
  int times = 0;
  api.after = [&](std::string_view path, std::string_view) -> std::optional<FakeApi::Answer> {
    if (path.ends_with("/import") && ++times == 1) return FakeApi::lost();
    return std::nullopt;
  };
  ASSERT_TRUE(send({line("1"), line("2")}).has_value());
  EXPECT_EQ(api.conversations.at("c1").messages.size(), 2U);
  EXPECT_TRUE(summary_has("2 (0 created, 2 existing)"));
}

TEST_F(Sending, EndsTheImportOnWhatWillNotPass) {
  for (const int status : {401, 403, 404, 405, 500, 507}) {
    api.before = [status](std::string_view, std::string_view) {
      return std::optional(FakeApi::problem(status, "because"));
    };
    const auto sent = send({line("1")});
    ASSERT_FALSE(sent.has_value()) << status;
    EXPECT_NE(sent.error().detail.find("because"), std::string::npos);
    EXPECT_EQ(sent.error().detail.find("an admin or a service") != std::string::npos, status == 403) << status;
  }
  EXPECT_TRUE(pauses.empty());
}

TEST_F(Sending, LeavesOutTheLinesThatTheServerNames) {
  api.refused_authors = {"irc:evil"};
  std::vector<ImportLine> lines;
  for (int i = 0; i < 60; ++i) lines.push_back(line(std::to_string(i), i % 2 == 0 ? "irc:a" : "irc:evil"));
  ASSERT_TRUE(send(std::move(lines)).has_value());
  EXPECT_EQ(api.conversations.at("c1").messages.size(), 30U);
  EXPECT_TRUE(report.has_faults());
  EXPECT_NE(err.str().find("file:1: refused by the server: /author has signed in"), std::string::npos);
  EXPECT_TRUE(summary_has("30  refused by the server"));
}

TEST_F(Sending, IsDoneWhenEveryLineIsRefused) {
  api.refused_authors = {"irc:a"};
  ASSERT_TRUE(send({line("1"), line("2")}).has_value());
  EXPECT_TRUE(api.conversations.at("c1").messages.empty());
}

TEST_F(Sending, KeepsAReplyWithoutWhatItAnswers) {
  ASSERT_TRUE(send({line("1"), line("2", "irc:a", "1"), line("3", "irc:a", "gone")}).has_value());
  const auto& messages = api.conversations.at("c1").messages;
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_TRUE(messages[1].contains("reply_to_external_id"));
  EXPECT_FALSE(messages[2].contains("reply_to_external_id"));
  EXPECT_FALSE(report.has_faults());
}

TEST_F(Sending, KeepsAMessageWithoutReactionsThatTheServerRefuses) {
  api.refused_authors = {"irc:evil", "irc:worse"};
  ImportLine reacted = line("1");
  reacted.reactions = {{"+1", {"irc:evil", "irc:worse"}}};
  ASSERT_TRUE(send({reacted, line("2")}).has_value());
  const auto& messages = api.conversations.at("c1").messages;
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_FALSE(messages[0].contains("reactions"));
  EXPECT_FALSE(report.has_faults());
}

TEST_F(Sending, EndsTheImportOnARefusalThatNamesNoLine) {
  for (const char* body : {"", "{}", R"({"errors":[]})", R"({"errors":[{"path":"/99/author"}]})",
                           R"({"errors":[{"path":"author"},7,{"path":3},{"path":"/x/y"},{"path":"/-1/a"}]})"}) {
    api.before = [body](std::string_view path, std::string_view) -> std::optional<FakeApi::Answer> {
      if (path.ends_with("/import")) return ApiAnswer{400, body, {}};
      return std::nullopt;
    };
    EXPECT_FALSE(send({line("1")}).has_value()) << body;
  }
}

TEST_F(Sending, HalvesABatchThatIsTooLargeOnTheWay) {
  api.before = [](std::string_view path, std::string_view body) -> std::optional<FakeApi::Answer> {
    if (path.ends_with("/import") && std::ranges::count(body, '\n') > 2) return FakeApi::problem(413);
    if (body.find("text of 4") != std::string_view::npos) return FakeApi::problem(413);
    return std::nullopt;
  };
  std::vector<ImportLine> lines;
  for (int i = 0; i < 9; ++i) lines.push_back(line(std::to_string(i)));
  ASSERT_TRUE(send(std::move(lines)).has_value());
  const auto& messages = api.conversations.at("c1").messages;
  ASSERT_EQ(messages.size(), 8U);
  for (std::size_t i = 1; i < messages.size(); ++i) {
    EXPECT_LT(messages[i - 1].at("external_id").as_string(), messages[i].at("external_id").as_string());
  }
  EXPECT_TRUE(report.has_faults());
}

TEST_F(Sending, GoesOnInAnImportedConversationThatWasRenamed) {
  api.conversations["c1"].name = "another";
  ASSERT_TRUE(send({line("1")}).has_value());
  EXPECT_EQ(api.conversations.at("c1").messages.size(), 1U);
  EXPECT_FALSE(report.has_faults());
}

TEST_F(Sending, LeavesOutAConversationThatNoImportMade) {
  api.conversations["c1"].imported = false;
  ASSERT_TRUE(send({line("1"), line("2")}).has_value());
  ASSERT_TRUE(send({line("3")}).has_value());
  ASSERT_TRUE(send({line("1")}, "c2").has_value());
  EXPECT_TRUE(api.conversations.at("c1").messages.empty());
  EXPECT_EQ(api.conversations.at("c2").messages.size(), 1U);
  EXPECT_TRUE(summary_has("3  conversation refused by the server"));
}

TEST_F(Sending, LeavesOutAConversationThatIsDeletedMeanwhile) {
  ASSERT_TRUE(send({line("1")}).has_value());
  api.conversations.clear();
  ASSERT_TRUE(send({line("2"), line("3")}).has_value());
  EXPECT_TRUE(summary_has("2  conversation refused by the server"));
}

}  // namespace
}  // namespace parley::import
