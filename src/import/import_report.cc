#include "import/import_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::import {

namespace {

constexpr std::uint64_t kBarCells = 24;

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

void add(Counts& counts, std::string_view kind, std::uint64_t count) {
  auto found = counts.find(kind);
  if (found == counts.end()) found = counts.emplace(kind, 0).first;
  found->second += count;
}

std::uint64_t sum(const Counts& counts) {
  std::uint64_t total = 0;
  for (const auto& [kind, count] : counts) total += count;
  return total;
}

std::string listed(std::string_view title, const Counts& counts) {
  if (counts.empty()) return fmt::format("{:<14}0\n", title);
  std::string text = fmt::format("{:<14}{}\n", title, sum(counts));
  for (const auto& [kind, count] : counts) text += fmt::format("  {:>10}  {}\n", count, kind);
  return text;
}

}  // namespace

ImportReport::ImportReport(std::ostream& err, Progress progress, const Clock& clock)
    : err_(err), progress_(progress), clock_(clock), started_(clock.steady_now()), shown_(started_) {}

double ImportReport::seconds() const {
  return std::max(1e-3, std::chrono::duration<double>(clock_.steady_now() - started_).count());
}

void ImportReport::say(const std::string& line) {
  if (bar_shown_) err_ << "\r\x1b[K";
  bar_shown_ = false;
  err_ << line << '\n' << std::flush;
}

void ImportReport::show(bool now) {
  if (progress_ == Progress::kNone) return;
  const SteadyTime time = clock_.steady_now();
  const bool bar = progress_ == Progress::kBar;
  if (!now && time - shown_ < (bar ? std::chrono::milliseconds(kBarEvery) : std::chrono::milliseconds(kLineEvery)))
    return;
  shown_ = time;
  const std::uint64_t done = created_ + existing_;
  const std::uint64_t percent = total_bytes_ == 0 ? 100 : std::min<std::uint64_t>(100, bytes_ * 100 / total_bytes_);
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(done) / seconds());
  if (!bar) return say(fmt::format("import: {} % read, {} messages stored, {}/s", percent, done, rate));
  const std::string full(percent * kBarCells / 100, '#');
  err_ << fmt::format("\r\x1b[K[{:.<{}}] {:>3} %  {} messages  {}/s", full, kBarCells, percent, done, rate)
       << std::flush;
  bar_shown_ = true;
}

void ImportReport::file_read() {
  const std::lock_guard lock(mutex_);
  ++files_;
}

void ImportReport::bytes_read(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
}

void ImportReport::message_read() {
  const std::lock_guard lock(mutex_);
  ++read_;
}

void ImportReport::conversation_opened(bool created) {
  const std::lock_guard lock(mutex_);
  ++(created ? conversations_created_ : conversations_existing_);
}

void ImportReport::batch_stored(std::uint64_t created, std::uint64_t existing) {
  const std::lock_guard lock(mutex_);
  created_ += created;
  existing_ += existing;
  show(false);
}

void ImportReport::left_out(std::string_view kind, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  add(left_out_, kind, count);
}

void ImportReport::noted(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  add(notes_, kind, 1);
}

void ImportReport::fault(std::string_view kind, std::string_view place, std::string_view detail, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  add(faults_, kind, count);
  if (faults_shown_ >= kFaultsShown) return;
  say(fmt::format("{}: {}{}{}", place, kind, detail.empty() ? "" : ": ", detail));
  if (++faults_shown_ == kFaultsShown) say("Further faults are only counted.");
}

void ImportReport::waiting(std::string_view reason, std::chrono::seconds left) {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady_now();
  const auto every = progress_ == Progress::kNone ? kQuietLineEvery : kLineEvery;
  if (wait_told_ != SteadyTime{} && now - wait_told_ < every) return;
  wait_told_ = now;
  say(fmt::format("{} Asking again, for {} s at most (--retry-for).", reason, left.count()));
}

void ImportReport::failed(Error reason) {
  const std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(reason);
}

bool ImportReport::has_failed() const {
  const std::lock_guard lock(mutex_);
  return failure_.has_value();
}

void ImportReport::finish() {
  const std::lock_guard lock(mutex_);
  if (progress_ == Progress::kBar) show(true);
  if (bar_shown_) err_ << '\n' << std::flush;
  bar_shown_ = false;
}

std::string ImportReport::summary(std::string_view format, bool dry_run) const {
  const std::lock_guard lock(mutex_);
  std::string text = fmt::format("{:<14}{}\n{:<14}{}\n", "format", format, "files", files_);
  const double took = seconds();
  if (dry_run) {
    text += fmt::format("{:<14}{}\n{:<14}{} (dry run: nothing was sent)\n", "conversations", conversations_created_,
                        "messages", read_);
  } else {
    text +=
        fmt::format("{:<14}{} ({} created, {} existing)\n", "conversations",
                    conversations_created_ + conversations_existing_, conversations_created_, conversations_existing_);
    text += fmt::format("{:<14}{} ({} created, {} existing)\n", "messages", created_ + existing_, created_, existing_);
  }
  text += listed("left out", left_out_);
  text += listed("faults", faults_);
  if (!notes_.empty()) text += listed("notes", notes_);
  const std::uint64_t messages = dry_run ? read_ : created_ + existing_;
  text += fmt::format("{:<14}{:.1f} s, {} messages/s\n", "took", took,
                      static_cast<std::uint64_t>(static_cast<double>(messages) / took));
  return text;
}

}  // namespace parley::import
