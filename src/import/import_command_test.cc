#include "import/import_command.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <sstream>

#include "base/event_loop.h"
#include "http/server.h"
#include "import/testing/fake_api.h"
#include "import/testing/recording_sink.h"

namespace parley::import {
namespace {

// The fake API behind a real server and socket.
class FakeApiService final : public http::Service {
 public:
  Task<http::Response> serve(http::Request& request) override {
    const auto body = co_await http::read_all(*request.body, 1024 * 1024);
    tokens.emplace(request.fields.find("Authorization").value_or("none"));
    acting.emplace(request.fields.find("X-Parley-User").value_or("none"));
    const auto answer =
        api.call(request.method, request.target, request.fields.find("Content-Type").value_or(""), body.value());
    co_return http::json_response(answer.value().status, answer.value().body);
  }
  FakeApi api;
  std::set<std::string> tokens, acting;
};

struct Command : ::testing::Test {
  Command() {
    EXPECT_TRUE(server.start().has_value());
    loops.start();
    options.path = std::filesystem::path(PARLEY_SAMPLES) / "irc";
    options.format = "irc";
    options.url = "http://127.0.0.1:" + std::to_string(server.port());
    options.token = "t0ken";
  }
  ~Command() override {
    server.stop(std::chrono::milliseconds(1000));
    loops.stop();
  }
  int run() {
    out.str("");
    err.str("");
    return run_import(options, out, err, false);
  }

  EventLoops loops{1};
  FakeApiService service;
  http::Server server{loops, service, {.role = "test"}};
  ImportOptions options;
  std::ostringstream out, err;
};

TEST_F(Command, ImportsTheSampleOverHttpAndAddsNothingTheSecondTime) {
  EXPECT_EQ(run(), kAllImported) << err.str();
  EXPECT_NE(out.str().find("messages      793 (793 created, 0 existing)"), std::string::npos) << out.str();
  EXPECT_EQ(service.api.conversations.at("ubuntu-2005-02-08").messages.size(), 156U);
  EXPECT_EQ(run(), kAllImported) << err.str();
  EXPECT_NE(out.str().find("messages      793 (0 created, 793 existing)"), std::string::npos) << out.str();
  EXPECT_EQ(service.tokens, (std::set<std::string>{"Bearer t0ken"}));
  EXPECT_EQ(service.acting, (std::set<std::string>{"none"}));
}

TEST_F(Command, ActsForAUserAndPutsThePrefix) {
  options.act_as = "jörg";
  options.conversation_prefix = "irc-";
  EXPECT_EQ(run(), kAllImported) << err.str();
  EXPECT_EQ(service.acting, (std::set<std::string>{"j%C3%B6rg"}));
  EXPECT_TRUE(service.api.conversations.contains("irc-ubuntu-2005-02-08"));
}

TEST_F(Command, TellsOfFaultsByItsExitCode) {
  TestFolder folder;
  options.format = "jsonl";
  options.path = folder.write(
      "a.jsonl",
      "{\"conversation\":\"c\",\"author\":\"x:a\",\"content\":\"hi\",\"created_at\":\"2020-01-02T03:04:05Z\"}\nbad\n");
  EXPECT_EQ(run(), kSomeLeftOut);
  EXPECT_NE(err.str().find("a.jsonl:2: bad line: no JSON object in UTF-8"), std::string::npos) << err.str();
  EXPECT_EQ(service.api.conversations.at("c").messages.size(), 1U);
}

TEST_F(Command, ImportsASlackExport) {
  TestFolder folder;
  folder.write("users.json", R"([{"id":"U1","name":"alice"}])");
  folder.write("channels.json", R"([{"id":"C1","name":"general"}])");
  folder.write(
      "general/2020-01-02.json",
      R"([{"type":"message","user":"U1","text":"root","ts":"1577934245.000200","thread_ts":"1577934245.000200"},
                   {"type":"message","user":"U1","text":"re","ts":"1577934246.000200","thread_ts":"1577934245.000200"},
                   {"type":"message","user":"U1","text":"lost","ts":"1577934247.000200","thread_ts":"1577934000.000200"}])");
  options.format = "slack";
  options.path = folder.path();
  EXPECT_EQ(run(), kAllImported) << err.str();
  EXPECT_EQ(service.api.conversations.at("general").messages.size(), 3U);
}

TEST_F(Command, FailsWhenTheServerIsAwayAndSaysHowToGoOn) {
  options.url = "http://127.0.0.1:1";
  options.retry_for_s = 0;
  EXPECT_EQ(run(), kFailed);
  EXPECT_NE(err.str().find("run the same command again"), std::string::npos) << err.str();
  EXPECT_NE(err.str().find(options.url), std::string::npos) << err.str();
}

TEST_F(Command, NeedsNeitherServerNorTokenForADryRun) {
  options.url = "";
  options.token = "";
  options.dry_run = true;
  EXPECT_EQ(run(), kAllImported) << err.str();
  EXPECT_NE(out.str().find("messages      793 (dry run"), std::string::npos) << out.str();
  EXPECT_EQ(service.api.calls, 0);
}

TEST_F(Command, RefusesBadArgumentsWithASentence) {
  const ImportOptions good = options;
  const auto refuses = [&](auto change) {
    options = good;
    change(options);
    EXPECT_EQ(run(), kBadArguments);
    EXPECT_NE(err.str(), "");
  };
  refuses([](ImportOptions& o) { o.format = "xml"; });
  refuses([](ImportOptions& o) { o.path = "/nonexistent/path"; });
  refuses([](ImportOptions& o) { o.format = "slack"; });
  refuses([](ImportOptions& o) { o.format = "jsonl"; });
  refuses([](ImportOptions& o) { o.token = ""; });
  refuses([](ImportOptions& o) { o.token = "a\r\nb"; });
  refuses([](ImportOptions& o) { o.url = "localhost:3000"; });
  refuses([](ImportOptions& o) { o.date = "15.11.2004"; });
  refuses([](ImportOptions& o) { o.jobs = 0; });
  refuses([](ImportOptions& o) { o.jobs = 17; });
  refuses([](ImportOptions& o) { o.act_as = "a\nb"; });
  refuses([](ImportOptions& o) { o.conversation_prefix = std::string(200, 'p'); });
  EXPECT_EQ(service.api.calls, 0);
}

TEST_F(Command, IsASubcommandWithItsOptions) {
  CLI::App app;
  int exit_code = -1;
  add_import_command(app, exit_code);
  app.parse("import " + options.path.string() + " --format irc --dry-run --quiet");
  EXPECT_EQ(exit_code, kAllImported);
  EXPECT_THROW(app.parse("import --format irc"), CLI::ParseError);
}

}  // namespace
}  // namespace parley::import
