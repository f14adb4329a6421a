#include "import/irc_source.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "import/irc_log.h"
#include "import/testing/recording_sink.h"

namespace parley::import {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

RecordingSink read_irc(const std::filesystem::path& path, IrcOptions options = {}, WallTime now = kNow) {
  ManualClock clock(now);
  RecordingSink sink;
  auto files = find_source_files(path, {".txt", ".log"});
  EXPECT_TRUE(files.has_value());
  IrcSource source(*files, options, clock);
  EXPECT_TRUE(source.read(sink).has_value());
  EXPECT_EQ(sink.bytes, source.total_bytes());
  return sink;
}

TEST(IrcSource, MakesOneConversationAFileWithIdsThatARerunMeetsAgain) {
  TestFolder folder;
  folder.write("2005-02-08.b.txt", "=== a joined\n[10:00] <bob> hi\n");
  folder.write("2005-02-08.a.txt", "[10:00] <al> one\r\n[10:01] <al> two");
  const RecordingSink sink = read_irc(folder.path());
  ASSERT_EQ(sink.conversations.size(), 2U);
  EXPECT_EQ(sink.conversations[0].id.value, "2005-02-08.a");
  EXPECT_EQ(sink.conversations[0].name, "2005-02-08.a");
  ASSERT_EQ(sink.lines.size(), 3U);
  EXPECT_EQ(sink.lines[1].external_id, "2005-02-08.a.txt:2");
  EXPECT_EQ(sink.lines[1].content, "two");
  EXPECT_EQ(sink.lines[1].author, "irc:al");
  EXPECT_EQ(format_rfc3339(sink.lines[1].created_at), "2005-02-08T10:01:00.000Z");
  EXPECT_EQ(sink.lines[2].external_id, "2005-02-08.b.txt:2");
  EXPECT_EQ(sink.left.at("event or action (===)"), 1);
  EXPECT_EQ(sink.files, 2);
  EXPECT_EQ(sink.done, (std::vector<std::string>{"2005-02-08.a", "2005-02-08.b"}));
}

TEST(IrcSource, PutsThePrefixBeforeTheIdAlone) {
  TestFolder folder;
  const RecordingSink sink =
      read_irc(folder.write("day.txt", "[10:00] <a> b\n"), {.conversation_prefix = "irc-", .date = {}});
  EXPECT_EQ(sink.conversations[0].id.value, "irc-day");
  EXPECT_EQ(sink.conversations[0].name, "day");
}

TEST(IrcSource, TakesTheDayFromTheNameElseTheOptionElseTheFile) {
  TestFolder folder;
  const auto dated = folder.write("2005-02-08.txt", "[10:00] <a> b\n");
  const auto undated = folder.write("log.txt", "[10:00] <a> b\n");
  const auto written = std::chrono::file_clock::from_sys(*parse_rfc3339("2011-03-04T22:00:00Z"));
  std::filesystem::last_write_time(undated, written);
  const IrcOptions option{.conversation_prefix = {}, .date = parse_date("2010-05-06")};
  const auto time_of = [](const RecordingSink& sink) { return format_rfc3339(sink.lines.at(0).created_at); };
  EXPECT_EQ(time_of(read_irc(dated, option)), "2005-02-08T10:00:00.000Z");
  EXPECT_EQ(time_of(read_irc(undated, option)), "2010-05-06T10:00:00.000Z");
  EXPECT_EQ(time_of(read_irc(undated)), "2011-03-04T10:00:00.000Z");
}

TEST(IrcSource, KnowsA12HourLogByTheWholeFile) {
  TestFolder folder;
  const RecordingSink twelve =
      read_irc(folder.write("2005-02-08.txt", "[11:59] <a> 1\n[12:01] <a> 2\n[01:00] <a> 3\n"));
  EXPECT_EQ(format_rfc3339(twelve.lines[2].created_at), "2005-02-08T13:00:00.000Z");
  // The one time past twelve stands on a line that is no message.
  const RecordingSink full =
      read_irc(folder.write("2005-02-09.txt", "[11:59] <a> 1\n[01:00] <a> 2\n[23:00]  * a waves\n[00:10] <a> 3\n"));
  EXPECT_EQ(format_rfc3339(full.lines[1].created_at), "2005-02-10T01:00:00.000Z");
  EXPECT_EQ(format_rfc3339(full.lines[2].created_at), "2005-02-11T00:10:00.000Z");
}

TEST(IrcSource, NeverGivesATimeInTheFuture) {
  TestFolder folder;
  const RecordingSink sink = read_irc(folder.write("2026-01-02.txt", "[03:04] <a> 1\n[03:05] <a> 2\n[20:00] <a> 3\n"));
  ASSERT_EQ(sink.lines.size(), 3U);
  EXPECT_EQ(format_rfc3339(sink.lines[0].created_at), "2026-01-02T03:04:00.000Z");
  EXPECT_EQ(sink.lines[1].created_at, kNow);
  EXPECT_EQ(sink.lines[2].created_at, kNow);
  EXPECT_EQ(sink.notes.at("times in the future, set to now"), 2);
}

TEST(IrcSource, ReadsOldEncodingsAndMendsNicks) {
  TestFolder folder;
  const RecordingSink sink = read_irc(
      folder.write("2005-02-08.txt", "[10:00] <j\xf6rg> caf\xe9 ß\n[10:00] <bur[n] er> a\n[10:01] <[set] > b\n"));
  EXPECT_EQ(sink.lines[0].author, "irc:jörg");
  EXPECT_EQ(sink.lines[0].content, "café ß");
  EXPECT_EQ(sink.lines[1].author, "irc:bur[n]er");
  EXPECT_EQ(sink.lines[2].author, "irc:[set]");
}

TEST(IrcSource, LeavesOutWhatTheApiWouldRefuseAndSaysWhere) {
  TestFolder folder;
  using std::string_literals::operator""s;
  const std::string exact(kMaxContentBytes, 'x');
  const RecordingSink sink = read_irc(
      folder.write("2005-02-08.txt", "[10:00] <a> " + exact + "\n[10:00] <a> " + exact + "y\n[10:00] <a> n\0l\n"s +
                                         "[10:00] <a\x01> b\n" + "[10:00] <" + std::string(130, 'n') +
                                         "> b\n[10:00] <a> " + std::string(100'000, 'z') + "\n[10:01] <a> last\n"));
  ASSERT_EQ(sink.lines.size(), 2U);
  EXPECT_EQ(sink.lines[0].content, exact);
  EXPECT_EQ(sink.lines[1].content, "last");
  EXPECT_EQ(sink.left.at("text over 16 KiB"), 2);
  EXPECT_EQ(sink.left.at("text with a NUL"), 1);
  EXPECT_EQ(sink.faults.size(), 5U);
  EXPECT_EQ(sink.faults[0].first, "2005-02-08.txt:2");
}

TEST(IrcSource, ReadsLogsOnlyFromAFolder) {
  TestFolder folder;
  folder.write("b.LOG", "[10:00] <a> log\n");
  folder.write("ATTRIBUTION", "[10:00] <a> no\n");
  folder.write(".hidden.txt", "[10:00] <a> no\n");
  folder.write("sub/c.txt", "[10:00] <a> no\n");
  const RecordingSink sink = read_irc(folder.path());
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.lines[0].content, "log");
}

TEST(IrcSource, RefusesAPathWithoutFiles) {
  TestFolder folder;
  EXPECT_FALSE(find_source_files(folder.path(), {".txt"}).has_value());
  EXPECT_FALSE(find_source_files(folder.path() / "missing", {".txt"}).has_value());
}

TEST(IrcSource, RefusesTwoFilesOfOneConversationBeforeItReadsAny) {
  TestFolder folder;
  folder.write("day.log", "[10:00] <a> b\n");
  folder.write("day.txt", "[10:00] <a> b\n");
  ManualClock clock(kNow);
  RecordingSink sink;
  IrcSource source(*find_source_files(folder.path(), {".txt", ".log"}), {}, clock);
  EXPECT_FALSE(source.read(sink).has_value());
  EXPECT_TRUE(sink.lines.empty());
}

TEST(IrcSource, LeavesOutAFileWhoseNameIsNoId) {
  TestFolder folder;
  folder.write(std::string(130, 'n') + ".txt", "[10:00] <a> b\n");
  folder.write("ok.txt", "[10:00] <a> b\n");
  const RecordingSink sink = read_irc(folder.path());
  EXPECT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.faults.size(), 1U);
}

TEST(IrcSource, StopsWhenTheImportFailed) {
  TestFolder folder;
  folder.write("a.txt", "[10:00] <a> 1\n[10:00] <a> 2\n");
  folder.write("b.txt", "[10:00] <a> 3\n");
  ManualClock clock(kNow);
  RecordingSink sink;
  sink.stop_after = 1;
  IrcSource source(*find_source_files(folder.path(), {".txt"}), {}, clock);
  EXPECT_TRUE(source.read(sink).has_value());
  EXPECT_EQ(sink.lines.size(), 1U);
}

TEST(IrcSource, ReadsTheSampleOfTheProject) {
  const RecordingSink sink = read_irc(std::filesystem::path(PARLEY_SAMPLES) / "irc");
  EXPECT_EQ(sink.conversations.size(), 3U);
  EXPECT_EQ(sink.lines.size(), 793U);
  EXPECT_TRUE(sink.faults.empty());
  for (std::size_t i = 1; i < sink.lines.size(); ++i) {
    const auto file_of = [&](std::size_t n) { return sink.lines[n].place.substr(0, sink.lines[n].place.find(':')); };
    if (file_of(i) == file_of(i - 1)) EXPECT_GE(sink.lines[i].created_at, sink.lines[i - 1].created_at);
  }
}

}  // namespace
}  // namespace parley::import
