// ImportReport: what an import did, counted by the reader and the senders, and told to the person at the terminal: a
// bar with the rate (else a plain line every few seconds) and each fault to `err`; the summary is the caller's to
// print. All methods may be called from any thread, except those marked.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace parley::import {

enum class Progress : std::uint8_t { kNone, kLines, kBar };

class ImportReport {
 public:
  static constexpr std::chrono::seconds kLineEvery{5};
  static constexpr std::chrono::seconds kQuietLineEvery{60};
  static constexpr std::chrono::milliseconds kBarEvery{100};
  static constexpr std::size_t kFaultsShown = 20;

  // `err` and `clock` must outlive the report.
  ImportReport(std::ostream& err, Progress progress, const Clock& clock);

  void set_total_bytes(std::uint64_t bytes) { total_bytes_ = bytes; }  // before the threads start
  void file_read();
  void bytes_read(std::uint64_t bytes);
  void message_read();
  void conversation_opened(bool created);
  void batch_stored(std::uint64_t created, std::uint64_t existing);
  void left_out(std::string_view kind, std::uint64_t count = 1);
  void noted(std::string_view kind);
  // Counts `count` messages as not imported, and tells of the first kFaultsShown.
  void fault(std::string_view kind, std::string_view place, std::string_view detail, std::uint64_t count = 1);
  // The server does not answer, or not well; the import asks again, for `left` at most. Told at once, then every few
  // seconds; seldom where no progress is to be told.
  void waiting(std::string_view reason, std::chrono::seconds left);
  // The import cannot go on; the first reason stays.
  void failed(Error reason);
  bool has_failed() const;

  // Wipes the bar. The rest is for when the threads have ended.
  void finish();
  const std::optional<Error>& failure() const { return failure_; }
  bool has_faults() const { return !faults_.empty(); }
  std::string summary(std::string_view format, bool dry_run) const;

 private:
  void show(bool now);
  void say(const std::string& line);
  double seconds() const;

  std::ostream& err_;
  const Progress progress_;
  const Clock& clock_;
  const SteadyTime started_;
  std::uint64_t total_bytes_ = 0;

  mutable std::mutex mutex_;
  SteadyTime shown_;
  bool bar_shown_ = false;
  std::uint64_t files_ = 0, bytes_ = 0, read_ = 0, created_ = 0, existing_ = 0;
  std::uint64_t conversations_created_ = 0, conversations_existing_ = 0;
  std::size_t faults_shown_ = 0;
  SteadyTime wait_told_{};
  std::map<std::string, std::uint64_t, std::less<>> left_out_, notes_, faults_;
  std::optional<Error> failure_;
};

}  // namespace parley::import
