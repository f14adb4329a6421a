#include "telemetry/log.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/check.h"
#include "telemetry/log_line.h"
#include "telemetry/log_output.h"

namespace parley {
namespace log_detail {

std::atomic<LogLevel> least_level{LogLevel::kOff};

namespace {

// The writer is woken at the first figure; what is left up to the second is for the time until a busy machine lets it
// run (at 30,000 requests/s some 50 ms). Two buffers: memory is bounded by twice that.
constexpr std::size_t kWakeBytes = 64 * 1024;
constexpr std::size_t kBufferBytes = 512 * 1024;
constexpr std::chrono::milliseconds kFlushInterval{200};

struct Buffer {
  std::size_t size = 0;
  std::array<char, kBufferBytes> bytes;
  std::string_view text() const { return {bytes.data(), size}; }
};

// Everything of the log, made at first use and never destroyed: a thread may be writing its last line while main
// returns.
class LogState {
 public:
  static LogState& get() {
    static LogState& state = *new LogState;
    return state;
  }

  void start(LogOptions options) {
    CHECK(!writer_.joinable());
    {
      const std::lock_guard lock(mutex_);
      options_ = std::move(options);
      front_->size = 0;
      stopping_ = urgent_ = false;
      requested_ = done_ = 0;
      dropped_.store(0, std::memory_order_relaxed);
      reported_ = 0;
      unwritten_ = torn_ = false;
    }
    writer_ = std::thread([this] { write_until_stopped(); });
    pthread_setname_np(writer_.native_handle(), "log");
    least_level.store(options_.level, std::memory_order_release);
  }

  void stop() {
    least_level.store(LogLevel::kOff, std::memory_order_relaxed);
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    writer_.join();
  }

  void write(LogLevel line_level, std::string_view message, std::span<const LogField> fields) {
    const LogLine line(now(), line_level, message, fields, options_.pretty);
    bool wake = line_level >= LogLevel::kWarn;
    {
      const std::lock_guard lock(mutex_);
      if (!append(line.text())) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
      }
      const std::size_t before = front_->size - line.text().size();
      urgent_ = urgent_ || wake;
      wake = wake || before == 0 || (before < kWakeBytes && front_->size >= kWakeBytes);
    }
    if (wake) wake_.notify_one();
  }

  void flush() {
    std::unique_lock lock(mutex_);
    if (stopping_ || !writer_.joinable()) return;
    const std::uint64_t mine = ++requested_;
    wake_.notify_one();
    flushed_.wait(lock, [&] { return done_ >= mine || stopping_; });
  }

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  // In a signal handler: only what is safe there. Should another thread hold the lock for good, its line may be torn.
  void write_from_crash() {
    bool locked = false;
    for (int i = 0; i < 1000 && !locked; ++i) locked = mutex_.try_lock();
    std::string_view rest = front_->text();
    while (!rest.empty()) {
      const ssize_t n = ::write(STDOUT_FILENO, rest.data(), rest.size());
      if (n <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(n));
    }
    front_->size = 0;
    if (locked) mutex_.unlock();
  }

 private:
  LogState() = default;

  WallTime now() const {
    return options_.clock != nullptr
               ? options_.clock->wall_now()
               : std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }

  bool append(std::string_view text) {
    if (text.size() > kBufferBytes - front_->size) return false;
    std::copy(text.begin(), text.end(), front_->bytes.data() + front_->size);
    front_->size += text.size();
    return true;
  }

  void write_until_stopped() {
    std::unique_lock lock(mutex_);
    const auto pressed = [this] { return stopping_ || urgent_ || requested_ > done_ || front_->size >= kWakeBytes; };
    for (;;) {
      wake_.wait(lock, [&] { return front_->size > 0 || pressed(); });
      wake_.wait_for(lock, kFlushInterval, pressed);
      const bool last = stopping_;
      const std::uint64_t answered = requested_;
      urgent_ = false;
      std::swap(front_, back_);
      lock.unlock();
      write_out(back_->text());
      back_->size = 0;
      report_dropped();
      lock.lock();
      done_ = std::max(done_, answered);
      flushed_.notify_all();
      if (last && front_->size == 0) return;
    }
  }

  void write_out(std::string_view lines) {
    if (lines.empty()) return;
    if (options_.sink) return options_.sink(lines);
    if (torn_ && write_to_stdout("\n") == 1) torn_ = false;
    const std::size_t taken = torn_ ? 0 : write_to_stdout(lines);
    unwritten_ = taken < lines.size();
    if (taken > 0) torn_ = lines[taken - 1] != '\n';
    dropped_.fetch_add(static_cast<std::uint64_t>(std::ranges::count(lines.substr(taken), '\n')),
                       std::memory_order_relaxed);
  }

  // Says so in the log itself, once lines get through again.
  void report_dropped() {
    const std::uint64_t all = dropped();
    if (all == reported_ || unwritten_) return;
    const std::array<LogField, 1> fields{{{"lines", all - reported_}}};
    reported_ = all;
    write_out(LogLine(now(), LogLevel::kWarn, "log lines dropped", fields, options_.pretty).text());
  }

  LogOptions options_;  // changes only while no thread may log
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable flushed_;
  Buffer buffers_[2];
  Buffer* front_ = &buffers_[0];  // lines go here
  Buffer* back_ = &buffers_[1];   // the writer's own while it writes
  bool stopping_ = false;
  bool urgent_ = false;
  std::uint64_t requested_ = 0;  // flushes asked for, and answered
  std::uint64_t done_ = 0;
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t reported_ = 0;  // the writer's own
  bool unwritten_ = false;      // likewise: the last lines were not all taken
  bool torn_ = false;           // likewise: and one was cut in the middle
  std::thread writer_;
};

extern "C" void flush_and_raise(int signal) {
  LogState::get().write_from_crash();
  ::raise(signal);  // the handler was reset to the default (SA_RESETHAND)
}

}  // namespace

void write(LogLevel line_level, std::string_view message, std::span<const LogField> fields) {
  LogState::get().write(line_level, message, fields);
}

}  // namespace log_detail

using log_detail::LogState;

std::string_view to_string(LogLevel level) {
  constexpr std::array<std::string_view, 6> kNames{"trace", "debug", "info", "warn", "error", "off"};
  return kNames[static_cast<std::size_t>(level)];
}

std::optional<LogLevel> parse_log_level(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(LogLevel::kOff); ++i) {
    if (to_string(static_cast<LogLevel>(i)) == text) return static_cast<LogLevel>(i);
  }
  return std::nullopt;
}

Log::Log(LogOptions options) {
  static const int at_exit = std::atexit([] { Log::flush(); });
  CHECK(at_exit == 0);
  LogState::get().start(std::move(options));
}

Log::~Log() {
  LogState::get().stop();
}

void Log::flush() {
  LogState::get().flush();
}

std::uint64_t Log::dropped() {
  return LogState::get().dropped();
}

bool wants_pretty_log(std::string_view format) {
  return format == "pretty" || (format == "auto" && isatty(STDOUT_FILENO) == 1);
}

void flush_log_on_crash() {
  LogState::get();  // not made within the handler
  struct sigaction action = {};
  action.sa_handler = log_detail::flush_and_raise;
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

void log_access(const AccessRecord& record) {
  if (!log_enabled(LogLevel::kInfo)) return;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(record.duration).count();
  std::array<LogField, 11> fields{{{"role", record.role}, {"request_id", record.request_id}}};
  std::size_t n = 2;
  if (!record.tenant.empty()) fields[n++] = {"tenant", record.tenant};
  if (!record.user.empty()) fields[n++] = {"user", record.user};
  fields[n++] = {"method", record.method};
  fields[n++] = {"route", record.route};
  fields[n++] = {"status", record.status};
  fields[n++] = {"duration_ms", static_cast<double>(us) / 1000.0};
  fields[n++] = {"bytes_in", record.bytes_in};
  fields[n++] = {"bytes_out", record.bytes_out};
  fields[n++] = {"peer", record.peer};
  log_detail::write(LogLevel::kInfo, "request", std::span(fields).first(n));
}

}  // namespace parley
