// Start-up's wait for an engine that is not there yet, on the main thread: it tries again and again, says once in the
// log what it waits for, and gives up with the engine's name. Engines start beside us, and their replica sets and users
// may be made only then.
#pragma once
#include <chrono>
#include <csignal>
#include <ctime>
#include <string>

#include "base/result.h"
#include "telemetry/log.h"

namespace parley::app {

inline std::string with_cause(const Error& error) {
  return error.cause.empty() ? error.detail : error.detail + " (" + error.cause + ")";
}

// The code of the failure of who was told to stop meanwhile.
inline constexpr const char* kStopped = "stopped";

// False: SIGTERM or SIGINT came, which `serve` has blocked. Where they are not blocked they take their usual course.
inline bool pause_unless_stopped(std::chrono::milliseconds pause) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(pause);
  const timespec longest{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds(pause - seconds).count()};
  return sigtimedwait(&signals, nullptr, &longest) < 0;
}

inline void log_the_wait(const std::string& name, const std::string& reason) {
  log_warn("waiting for an engine", {{"engine", name}, {"reason", reason}});
}

// `open` answers a Result; one that is unavailable, or came too late, is tried again until `longest` has passed. `tell`
// says so once, to whoever started this.
template <class Open, class Tell = decltype(&log_the_wait)>
auto wait_for_engine(const std::string& name, std::chrono::seconds longest, Open open, Tell tell = log_the_wait)
    -> decltype(open()) {
  constexpr std::chrono::milliseconds kPause{500};
  const auto end = std::chrono::steady_clock::now() + longest;
  for (bool told = false;; told = true) {
    auto opened = open();
    if (opened) return opened;
    const bool passing = opened.error().kind == ErrorKind::kUnavailable || opened.error().kind == ErrorKind::kTimeout;
    if (!passing) {
      opened.error().detail = with_cause(opened.error());
      return opened;
    }
    if (std::chrono::steady_clock::now() + kPause >= end) {
      opened.error().detail = name + " is missing: " + with_cause(opened.error());
      return opened;
    }
    if (!told) tell(name, with_cause(opened.error()));
    if (!pause_unless_stopped(kPause)) {
      return fail(ErrorKind::kUnavailable, kStopped, "It was told to stop while it waited for " + name + ".");
    }
  }
}

}  // namespace parley::app
