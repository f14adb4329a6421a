#include "app/reindex_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "base/text.h"

namespace parley::app {

namespace {

constexpr std::chrono::seconds kPatience{120};  // with a server that does not answer
constexpr std::chrono::milliseconds kAskEvery{200};
constexpr std::chrono::seconds kLineEvery{5};
constexpr int kBarCells = 30;

std::int64_t number_of(const boost::json::object& state, std::string_view name) {
  const boost::json::value* value = state.if_contains(name);
  if (value == nullptr) return 0;
  return value->is_int64()    ? value->get_int64()
         : value->is_double() ? static_cast<std::int64_t>(value->get_double())
                              : 0;
}

double fraction_of(const boost::json::object& state) {
  const boost::json::value* value = state.if_contains("progress");
  if (value == nullptr) return 0;
  return value->is_double() ? value->get_double() : value->is_int64() ? static_cast<double>(value->get_int64()) : 0;
}

class Display {
 public:
  void show(const boost::json::object& state) {
    const auto now = std::chrono::steady_clock::now();
    const int percent = static_cast<int>(fraction_of(state) * 100);
    const std::string done = fmt::format("{:>3} %  {} messages  {}/s", percent, number_of(state, "messages"),
                                         number_of(state, "messages_per_second"));
    if (on_terminal_) {
      const std::string full(static_cast<std::size_t>(percent * kBarCells / 100), '#');
      std::fputs(fmt::format("\r\x1b[K[{:.<{}}] {}", full, kBarCells, done).c_str(), stderr);
      bar_shown_ = true;
    } else if (now - told_at_ >= kLineEvery) {
      std::fputs(fmt::format("reindex: {}\n", done).c_str(), stderr);
      told_at_ = now;
    }
  }
  ~Display() {
    if (bar_shown_) std::fputc('\n', stderr);
  }

 private:
  const bool on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  bool bar_shown_ = false;
  std::chrono::steady_clock::time_point told_at_ = std::chrono::steady_clock::now();
};

}  // namespace

Result<boost::json::object> watch_reindex(SearchHost& host, const std::string& id) {
  Display display;
  auto answered_at = std::chrono::steady_clock::now();
  for (;;) {
    auto answer = host.ask(http::Method::kGet, "/internal/reindex/" + percent_encode(id), {});
    const auto now = std::chrono::steady_clock::now();
    if (answer && answer->status == 200) {
      answered_at = now;
      display.show(answer->body);
      const boost::json::value* state = answer->body.if_contains("state");
      const std::string phase(state != nullptr && state->is_string() ? std::string(state->get_string()) : "");
      if (phase == "done") return std::move(answer->body);
      if (phase == "failed") {
        const boost::json::value* why = answer->body.if_contains("failure");
        return unavailable("reindex_failed",
                           why != nullptr && why->is_string() ? std::string(why->get_string()) : "The reindex failed.");
      }
    } else if (answer && answer->status == 404) {
      return fail(
          ErrorKind::kNotFound, "not_found",
          "The reindex " + id + " ended while the server was restarted; `parley check` tells how the index is.");
    } else if (answer && answer->status < 500) {
      return fail(ErrorKind::kInternal, answer->code(), answer->detail());
    } else if (now - answered_at > kPatience) {
      return unavailable("unavailable", answer ? answer->detail() : answer.error().detail);
    }
    std::this_thread::sleep_for(kAskEvery);
  }
}

}  // namespace parley::app
