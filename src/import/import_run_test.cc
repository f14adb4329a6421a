#include "import/import_run.h"

#include <gtest/gtest.h>

#include <functional>
#include <sstream>

#include "import/testing/fake_api.h"

namespace parley::import {
namespace {

// Pushes what the test says.
class ScriptedSource final : public ImportSource {
 public:
  explicit ScriptedSource(std::function<Result<>(ImportSink&)> script) : script_(std::move(script)) {}
  std::uint64_t total_bytes() const override { return 100; }
  Result<> read(ImportSink& sink) override { return script_(sink); }

 private:
  std::function<Result<>(ImportSink&)> script_;
};

// `count` messages to each of `conversations`, interleaved.
ScriptedSource many(int conversations, int count) {
  return ScriptedSource([=](ImportSink& sink) -> Result<> {
    for (int i = 0; i < count; ++i) {
      for (int c = 0; c < conversations; ++c) {
        const std::string id = "c" + std::to_string(c);
        const std::string number = std::to_string(100'000 + i);
        if (!sink.message({ConversationId(id), id, {}}, {number, "irc:a", "text", WallTime{}, {}, {}, "f:" + number})) {
          return {};
        }
      }
    }
    sink.file_done();
    return {};
  });
}

struct Running : ::testing::Test {
  std::string run(ImportSource& source, ImportApi* to, std::size_t jobs = 4) {
    ImportReport report(err, Progress::kNone, clock);
    run_import_from(source, to, report, clock, random,
                    {.jobs = jobs, .sender = {.retry_for = std::chrono::seconds(1), .pause = [this](auto time) {
                                                clock.advance(time);
                                              }}});
    failure = report.failure() ? report.failure()->detail : "";
    return report.summary("test", to == nullptr);
  }
  void expect_all(int conversations, int count) {
    EXPECT_EQ(api.conversations.size(), static_cast<std::size_t>(conversations));
    for (const auto& [id, conversation] : api.conversations) {
      ASSERT_EQ(conversation.messages.size(), static_cast<std::size_t>(count)) << id;
      for (std::size_t i = 1; i < conversation.messages.size(); ++i) {
        EXPECT_LT(conversation.messages[i - 1].at("external_id").as_string(),
                  conversation.messages[i].at("external_id").as_string());
      }
    }
  }

  FakeApi api;
  std::ostringstream err;
  ManualClock clock;
  SecureRandom random;
  std::string failure;
};

TEST_F(Running, StoresEveryMessageOnceInTheOrderOfItsConversation) {
  for (const std::size_t jobs : {1, 3, 16}) {
    api.conversations.clear();
    auto source = many(20, 1200);
    const std::string summary = run(source, &api, jobs);
    EXPECT_EQ(failure, "");
    EXPECT_NE(summary.find("24000 (24000 created, 0 existing)"), std::string::npos) << summary;
    EXPECT_NE(summary.find("20 (20 created, 0 existing)"), std::string::npos) << summary;
    expect_all(20, 1200);
  }
}

TEST_F(Running, AddsNothingWhenRunAgain) {
  auto source = many(3, 700);
  run(source, &api);
  const std::string summary = run(source, &api);
  EXPECT_NE(summary.find("2100 (0 created, 2100 existing)"), std::string::npos) << summary;
  expect_all(3, 700);
}

TEST_F(Running, IsCompletedByARerunWhereverItBroke) {
  auto source = many(5, 1100);
  for (int survives = 0; survives < 20; survives += 4) {
    api.conversations.clear();
    int calls = 0;
    api.before = [&](std::string_view, std::string_view) -> std::optional<FakeApi::Answer> {
      return ++calls > survives ? std::optional(FakeApi::lost()) : std::nullopt;
    };
    run(source, &api, 3);
    EXPECT_NE(failure, "");
    api.before = nullptr;
    run(source, &api, 3);
    EXPECT_EQ(failure, "");
    expect_all(5, 1100);
  }
}

TEST_F(Running, StopsReadingWhenTheServerRefuses) {
  api.before = [](std::string_view, std::string_view) { return std::optional(FakeApi::problem(401, "No token.")); };
  auto source = many(1, 200'000);
  run(source, &api);
  EXPECT_NE(failure.find("No token."), std::string::npos);
  EXPECT_LT(api.calls, 20);
}

TEST_F(Running, SendsWhatItReadBeforeTheSourceFailed) {
  ScriptedSource source([](ImportSink& sink) -> Result<> {
    sink.message({ConversationId("c"), "c", {}}, {"1", "irc:a", "text", WallTime{}, {}, {}, "f:1"});
    return fail(ErrorKind::kInvalid, "unreadable_file", "Reading failed.");
  });
  run(source, &api);
  EXPECT_EQ(failure, "Reading failed.");
  expect_all(1, 1);
}

TEST_F(Running, CountsInADryRunAndSendsNothing) {
  auto source = many(7, 10);
  const std::string summary = run(source, nullptr);
  EXPECT_EQ(api.calls, 0);
  EXPECT_NE(summary.find("70 (dry run: nothing was sent)"), std::string::npos) << summary;
  EXPECT_NE(summary.find("conversations 7\n"), std::string::npos) << summary;
}

TEST(ImportReport, ShowsABarOnATerminalAndLinesElsewhere) {
  ManualClock clock;
  std::ostringstream bar, lines, none;
  ImportReport on_terminal(bar, Progress::kBar, clock), in_file(lines, Progress::kLines, clock),
      quiet(none, Progress::kNone, clock);
  for (ImportReport* report : {&on_terminal, &in_file, &quiet}) {
    report->set_total_bytes(200);
    report->bytes_read(100);
  }
  clock.advance(std::chrono::seconds(5));
  for (ImportReport* report : {&on_terminal, &in_file, &quiet}) report->batch_stored(1000, 0);
  EXPECT_NE(bar.str().find("[############............]  50 %  1000 messages  200/s"), std::string::npos) << bar.str();
  EXPECT_EQ(lines.str(), "import: 50 % read, 1000 messages stored, 200/s\n");
  EXPECT_EQ(none.str(), "");
  in_file.batch_stored(1000, 0);
  EXPECT_EQ(lines.str(), "import: 50 % read, 1000 messages stored, 200/s\n");
}

TEST(ImportReport, TellsOfTheFirstFaultsAndCountsTheRest) {
  ManualClock clock;
  std::ostringstream err;
  ImportReport report(err, Progress::kNone, clock);
  for (std::size_t i = 0; i < 2 * ImportReport::kFaultsShown; ++i)
    report.fault("bad line", "f:" + std::to_string(i), "why");
  EXPECT_NE(err.str().find("f:19: bad line: why\n"), std::string::npos);
  EXPECT_EQ(err.str().find("f:20:"), std::string::npos);
  EXPECT_NE(report.summary("jsonl", false).find("40  bad line"), std::string::npos);
}

}  // namespace
}  // namespace parley::import
