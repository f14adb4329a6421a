#include "import/irc_source.h"

#include <filesystem>
#include <set>

#include "base/text.h"
#include "import/irc_log.h"
#include "import/line_reader.h"
#include "import/windows_1252.h"

namespace parley::import {

namespace {

// Longer than any text the API takes, so that what is cut here is over the limit anyway.
constexpr std::size_t kMaxLineBytes = 32 * 1024;

// A nick has no spaces; some loggers put one behind each `]` of it.
std::string author_of(std::string_view nick) {
  std::string author = "irc:" + to_utf8(nick);
  std::erase(author, ' ');
  return author;
}

// The first of two passes: a log tells only as a whole whether its clock has 12 hours.
Result<IrcClockKind> learn_clock(const SourceFile& file) {
  LineReader reader(file.path, kMaxLineBytes);
  if (auto opened = reader.opened(); !opened) return std::unexpected(std::move(opened.error()));
  IrcClockKind kind;
  LineReader::Line line;
  while (reader.next(line)) {
    if (const auto time = parse_irc_line(line.text).time) kind.saw(*time);
  }
  return kind;
}

}  // namespace

IrcSource::IrcSource(std::vector<SourceFile> files, IrcOptions options, const Clock& clock)
    : files_(std::move(files)), options_(std::move(options)), clock_(clock) {}

Result<> IrcSource::read(ImportSink& sink) {
  std::set<std::string, std::less<>> ids;
  for (const SourceFile& file : files_) {
    const std::string& id = conversation_of_file(file.name, options_.conversation_prefix).id.value;
    if (!ids.insert(id).second) {
      return fail(ErrorKind::kInvalid, "same_conversation",
                  "Two files would become the conversation " + id + "; rename one, or import them apart.");
    }
  }
  bool go_on = true;
  for (const SourceFile& file : files_) {
    if (auto done = read_file(file, sink, go_on); !done) return done;
    if (!go_on) break;
  }
  return {};
}

std::chrono::sys_days IrcSource::day_of(const SourceFile& file) const {
  if (const auto date = date_in_name(file.name)) return *date;
  if (options_.date) return *options_.date;
  std::error_code error;
  const auto written = std::filesystem::last_write_time(file.path, error);
  if (error) return std::chrono::floor<std::chrono::days>(clock_.wall_now());
  return std::chrono::floor<std::chrono::days>(std::chrono::file_clock::to_sys(written));
}

Result<> IrcSource::read_file(const SourceFile& file, ImportSink& sink, bool& go_on) const {
  const ImportConversation conversation = conversation_of_file(file.name, options_.conversation_prefix);
  if (!is_valid_id(conversation.id.value)) {
    sink.left_out(LeftOut::kFault, "file whose name makes no conversation id", to_utf8(file.name),
                  "an id is " + std::string(kIdRule));
    sink.advanced(file.bytes);
    return {};
  }
  const Result<IrcClockKind> kind = learn_clock(file);
  if (!kind) return std::unexpected(kind.error());
  IrcClock times(day_of(file), kind->twelve_hours());
  const WallTime now = clock_.wall_now();

  LineReader reader(file.path, kMaxLineBytes);
  if (auto opened = reader.opened(); !opened) return opened;
  LineReader::Line line;
  while (go_on && reader.next(line)) {
    sink.advanced(line.bytes);
    const IrcLine parsed = parse_irc_line(line.text);
    const WallTime time = parsed.time ? times.at(*parsed.time) : WallTime{};
    if (parsed.kind != IrcLineKind::kMessage) {
      sink.left_out(to_string(parsed.kind));
      continue;
    }
    std::string place = place_in(file.name, line.number);
    ImportLine message{place, author_of(parsed.nick), to_utf8(parsed.text), time, {}, {}, place};
    if (line.too_long) {
      sink.left_out(LeftOut::kFault, "text over 16 KiB", place, {});
      continue;
    }
    if (message.created_at > now) {
      message.created_at = now;
      sink.noted("times in the future, set to now");
    }
    if (const auto fault = fault_of(message, now)) {
      sink.left_out(LeftOut::kFault, *fault, place, {});
      continue;
    }
    go_on = sink.message(conversation, std::move(message));
  }
  if (reader.failed())
    return fail(ErrorKind::kInvalid, "unreadable_file", "Reading " + file.path.string() + " failed.");
  sink.conversation_done(conversation.id);
  sink.file_done();
  return {};
}

}  // namespace parley::import
