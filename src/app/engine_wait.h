// Start-up's wait for an engine that is not there yet, on the main thread: it tries again and again, says once in the
// log what it waits for, and gives up with the engine's name. Engines start beside us, and their replica sets and users
// may be made only then.
#pragma once
#include <chrono>
#include <string>
#include <thread>

#include "base/result.h"
#include "telemetry/log.h"

namespace parley::app {

inline std::string with_cause(const Error& error) {
  return error.cause.empty() ? error.detail : error.detail + " (" + error.cause + ")";
}

// `open` answers a Result; one that is unavailable, or came too late, is tried again until `longest` has passed.
template <class Open>
auto wait_for_engine(const std::string& name, std::chrono::seconds longest, Open open) -> decltype(open()) {
  constexpr std::chrono::milliseconds kPause{500};
  const auto end = std::chrono::steady_clock::now() + longest;
  for (bool told = false;; told = true) {
    auto opened = open();
    if (opened) return opened;
    const bool passing = opened.error().kind == ErrorKind::kUnavailable || opened.error().kind == ErrorKind::kTimeout;
    if (!passing) return opened;
    if (std::chrono::steady_clock::now() + kPause >= end) {
      opened.error().detail = name + " is missing: " + with_cause(opened.error());
      return opened;
    }
    if (!told) log_warn("waiting for an engine", {{"engine", name}, {"reason", with_cause(opened.error())}});
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace parley::app
