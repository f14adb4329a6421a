#include "telemetry/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <condition_variable>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

namespace parley {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A log into memory, at a time that stands still.
class LogTest : public testing::Test {
 protected:
  LogOptions options(LogLevel level = LogLevel::kInfo) {
    return {.level = level, .clock = &clock_, .sink = [this](std::string_view lines) {
              const std::lock_guard lock(mutex_);
              text_ += lines;
            }};
  }
  std::string text() {
    Log::flush();
    const std::lock_guard lock(mutex_);
    return text_;
  }
  std::vector<std::string> lines() {
    std::istringstream stream(text());
    std::vector<std::string> all;
    for (std::string line; std::getline(stream, line);) all.push_back(line);
    return all;
  }

  ManualClock clock_;
  std::mutex mutex_;
  std::string text_;
};

TEST_F(LogTest, WritesWholeLinesInOrder) {
  const Log log(options());
  log_info("first", {{"n", 1}});
  log_warn("second", {{"n", 2}});
  log_error("third");
  EXPECT_THAT(lines(),
              ElementsAre("{\"ts\":\"2023-11-14T22:13:20.000Z\",\"level\":\"info\",\"msg\":\"first\",\"n\":1}",
                          "{\"ts\":\"2023-11-14T22:13:20.000Z\",\"level\":\"warn\",\"msg\":\"second\",\"n\":2}",
                          "{\"ts\":\"2023-11-14T22:13:20.000Z\",\"level\":\"error\",\"msg\":\"third\"}"));
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  for (int level = 0; level <= static_cast<int>(LogLevel::kOff); ++level) {
    text_.clear();
    {
      const Log log(options(static_cast<LogLevel>(level)));
      log_trace("m");
      log_debug("m");
      log_info("m");
      log_warn("m");
      log_error("m");
    }
    EXPECT_EQ(std::ranges::count(text_, '\n'), 5 - level);
  }
}

TEST_F(LogTest, IsSilentBeforeAndAfter) {
  EXPECT_FALSE(log_enabled(LogLevel::kError));
  log_error("nobody hears");
  {
    const Log log(options());
  }
  log_error("nobody hears");
  Log::flush();
  EXPECT_EQ(text_, "");
}

TEST_F(LogTest, WritesWhatIsBufferedWhenItEnds) {
  {
    const Log log(options());
    for (int i = 0; i < 100; ++i) log_info("m", {{"i", i}});
  }
  EXPECT_EQ(std::ranges::count(text_, '\n'), 100);
}

TEST_F(LogTest, KeepsLinesOfManyThreadsWhole) {
  const Log log(options());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 250; ++i) {
          log_info("m", {{"thread", t}, {"i", i}});
          if (i % 50 == 0) Log::flush();
        }
      });
    }
  }
  std::vector<int> next(4, 0);
  for (const std::string& line : lines()) {
    const auto parsed = boost::json::parse(line);
    const auto t = static_cast<std::size_t>(parsed.at("thread").as_int64());
    EXPECT_EQ(parsed.at("i").as_int64(), next[t]++);
  }
  EXPECT_THAT(next, ElementsAre(250, 250, 250, 250));
  EXPECT_EQ(Log::dropped(), 0u);
}

// A sink that takes nothing until it is let go.
struct StuckSink {
  std::mutex mutex;
  std::condition_variable changed;
  bool entered = false, released = false;
  std::string text;

  void operator()(std::string_view lines) {
    std::unique_lock lock(mutex);
    entered = true;
    changed.notify_all();
    changed.wait(lock, [this] { return released; });
    text += lines;
  }
  void wait_until_entered() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return entered; });
  }
  void release() {
    const std::lock_guard lock(mutex);
    released = true;
    changed.notify_all();
  }
};

TEST_F(LogTest, DropsAndCountsRatherThanBlockOrGrow) {
  StuckSink sink;
  {
    const Log log({.clock = &clock_, .sink = [&sink](std::string_view lines) { sink(lines); }});
    log_warn("stuck");
    sink.wait_until_entered();
    const std::string filling(1000, 'x');
    for (int i = 0; i < 1000; ++i) log_info("m", {{"k", filling}});
    EXPECT_GT(Log::dropped(), 400u);
    EXPECT_LT(Log::dropped(), 1000u);
    sink.release();
  }
  const auto count = static_cast<std::uint64_t>(std::ranges::count(sink.text, '\n'));
  EXPECT_EQ(count, 1000 - Log::dropped() + 2);  // the stuck line, and the one that tells
  EXPECT_THAT(sink.text, HasSubstr("\"msg\":\"log lines dropped\",\"lines\":" + std::to_string(Log::dropped())));
  EXPECT_LT(sink.text.size(), 2u * 512 * 1024);
}

TEST_F(LogTest, TellsOfARequestWithoutContent) {
  const Log log(options());
  log_access({.role = "gateway",
              .request_id = "r1",
              .tenant = "acme",
              .user = "u\"1",
              .method = "POST",
              .route = "/v1/messages",
              .peer = "127.0.0.1",
              .status = 201,
              .duration = std::chrono::nanoseconds(1'234'567),
              .bytes_in = 60,
              .bytes_out = 300});
  log_access({.role = "media", .request_id = "r2", .method = "GET", .route = "none", .peer = "::1", .status = 404});
  EXPECT_THAT(
      lines(),
      ElementsAre("{\"ts\":\"2023-11-14T22:13:20.000Z\",\"level\":\"info\",\"msg\":\"request\",\"role\":\"gateway\","
                  "\"request_id\":\"r1\",\"tenant\":\"acme\",\"user\":\"u\\\"1\",\"method\":\"POST\","
                  "\"route\":\"/v1/messages\",\"status\":201,\"duration_ms\":1.234,\"bytes_in\":60,"
                  "\"bytes_out\":300,\"peer\":\"127.0.0.1\"}",
                  "{\"ts\":\"2023-11-14T22:13:20.000Z\",\"level\":\"info\",\"msg\":\"request\",\"role\":\"media\","
                  "\"request_id\":\"r2\",\"method\":\"GET\",\"route\":\"none\",\"status\":404,\"duration_ms\":0,"
                  "\"bytes_in\":0,\"bytes_out\":0,\"peer\":\"::1\"}"));
}

TEST(LogLevels, AreReadByTheirNamesOnly) {
  for (const char* name : {"trace", "debug", "info", "warn", "error", "off"}) {
    EXPECT_EQ(to_string(*parse_log_level(name)), name);
  }
  for (const char* bad : {"", "INFO", "warning", "info "}) EXPECT_EQ(parse_log_level(bad), std::nullopt);
  EXPECT_TRUE(wants_pretty_log("pretty"));
  EXPECT_FALSE(wants_pretty_log("json"));
}

// Runs `child` in a process of its own and gives what it wrote to stdout; `status` is as waitpid tells. `late`: nobody
// reads until it has ended.
std::string stdout_of(void (*child)(), int& status, bool late = false) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    const int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDERR_FILENO);
    child();
    std::_Exit(7);
  }
  close(ends[1]);
  if (late) waitpid(pid, &status, 0);
  std::string text;
  char piece[4096];
  for (ssize_t n; (n = read(ends[0], piece, sizeof piece)) > 0;) text.append(piece, static_cast<std::size_t>(n));
  close(ends[0]);
  if (!late) waitpid(pid, &status, 0);
  return text;
}

TEST(LogOnStdout, IsWrittenOutByACrash) {
  int status = 0;
  const std::string text = stdout_of(
      [] {
        const Log log({});
        flush_log_on_crash();
        log_info("last words");
        std::abort();
      },
      status);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
  EXPECT_THAT(text, HasSubstr("\"msg\":\"last words\""));
}

TEST(LogOnStdout, IsWrittenOutByExit) {
  int status = 0;
  const std::string text = stdout_of(
      [] {
        static const Log* log = new Log({});
        if (log != nullptr) log_info("leaving");
        std::exit(3);
      },
      status);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_THAT(text, HasSubstr("\"msg\":\"leaving\""));
}

TEST(LogOnStdout, IsJsonLinesEvenIfLargerThanAPipe) {
  int status = 0;
  const std::string text = stdout_of(
      [] {
        const Log log({});
        for (int i = 0; i < 2000; ++i) {
          log_info("m", {{"i", i}, {"k", "some text to fill the line"}});
          if (i % 100 == 0) Log::flush();
        }
      },
      status);
  EXPECT_EQ(std::ranges::count(text, '\n'), 2000);
}

TEST(LogOnStdout, ThatNobodyReadsDoesNotHangTheProcess) {
  int status = 0;
  const std::string text = stdout_of(
      [] {
        std::uint64_t dropped = 0;
        {
          const Log log({});
          for (int i = 0; i < 2000; ++i) log_info("m", {{"i", i}, {"k", "some text to fill the line"}});
          Log::flush();
          dropped = Log::dropped();
        }
        std::_Exit(dropped > 0 ? 9 : 8);
      },
      status, true);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 9);
  EXPECT_GT(std::ranges::count(text, '\n'), 0);
}

}  // namespace
}  // namespace parley
