#include "import/irc_log.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace parley::import {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

IrcLineKind kind_of(std::string_view line) {
  return parse_irc_line(line).kind;
}

TEST(IrcLine, IsAMessageWithTimeNickAndText) {
  const IrcLine line = parse_irc_line("[09:21] <Chetwin> Hey all.  <b> [x]");
  EXPECT_EQ(line.kind, IrcLineKind::kMessage);
  EXPECT_EQ(line.time, 9h + 21min);
  EXPECT_EQ(line.nick, "Chetwin");
  EXPECT_EQ(line.text, "Hey all.  <b> [x]");
}

TEST(IrcLine, KeepsTheTextAsItIs) {
  EXPECT_EQ(parse_irc_line("[23:59] <a>   indented ").text, "  indented ");
  EXPECT_EQ(parse_irc_line("[00:00] <[set] > > quoted").nick, "[set] ");
  EXPECT_EQ(parse_irc_line("[00:00] <[set] > > quoted").text, "> quoted");
  EXPECT_EQ(parse_irc_line("[00:00] <a> -> b").text, "-> b");
}

TEST(IrcLine, IsEmptyWithoutATextOrWithWhiteSpaceOnly) {
  for (const char* line : {"[09:43] <drcode>", "[11:25] <pirate> ", "[11:25] <pirate>   \t ", "[11:25] <p> \r"}) {
    EXPECT_EQ(kind_of(line), IrcLineKind::kEmptyText) << line;
  }
}

TEST(IrcLine, IsLeftOutWhenItIsAnythingElse) {
  EXPECT_EQ(kind_of("=== nick is now known as other"), IrcLineKind::kServerLine);
  EXPECT_EQ(kind_of("===[09:21] <a> b"), IrcLineKind::kServerLine);
  EXPECT_EQ(kind_of("[13:56]  * genii sips a coffee"), IrcLineKind::kAction);
  EXPECT_EQ(kind_of("[13:56] * genii sips a coffee"), IrcLineKind::kAction);
  EXPECT_EQ(kind_of("[05:12] -nick:#ubuntu- happy"), IrcLineKind::kNotice);
  EXPECT_EQ(kind_of("[01:09] (soundray/#ubuntu) thomas: have"), IrcLineKind::kOther);
  EXPECT_EQ(kind_of(""), IrcLineKind::kBlank);
  EXPECT_EQ(kind_of(" \t"), IrcLineKind::kBlank);
  for (const char* line : {"[9:21] <a> b", "[24:00] <a> b", "[12:60] <a> b", "[ab:cd] <a> b", "[12:30 <a> b", "[12:30]",
                           "[12:30] <a b", "[12:30] <> b", "[12:30] < > b", "[12:30] <a>b", "[12:30]<a> b",
                           "12:30 <a> b", "[12:30] a: b", "[-1:30] <a> b"}) {
    EXPECT_EQ(kind_of(line), IrcLineKind::kOther) << line;
  }
}

TEST(IrcLine, HasATimeEvenWhenItIsLeftOut) {
  EXPECT_EQ(parse_irc_line("[13:56]  * genii sips").time, 13h + 56min);
  EXPECT_EQ(parse_irc_line("=== [13:56]").time, std::nullopt);
}

// The times that a log's clock readings get, from the first day on.
std::vector<std::string> times_of(bool twelve_hours, std::vector<std::chrono::minutes> readings) {
  IrcClock clock(sys_days(std::chrono::year(2005) / 2 / 28), twelve_hours);
  std::vector<std::string> times;
  for (const auto reading : readings) times.push_back(format_rfc3339(clock.at(reading)).substr(5, 11));
  return times;
}
using Times = std::vector<std::string>;

TEST(IrcClock, StaysOnItsDayWhileTimeGoesOn) {
  EXPECT_EQ(times_of(false, {0min, 0min, 13h, 23h + 59min}),
            (Times{"02-28T00:00", "02-28T00:00", "02-28T13:00", "02-28T23:59"}));
}

TEST(IrcClock, GoesToTheNextDayAtMidnightOfA24HourLog) {
  EXPECT_EQ(times_of(false, {23h + 59min, 0min, 1h, 0h + 30min}),
            (Times{"02-28T23:59", "03-01T00:00", "03-01T01:00", "03-02T00:30"}));
}

TEST(IrcClock, GoesOnByHalfADayWhenA12HourLogGoesBack) {
  // 12 am and pm as 12: noon and midnight come out right without a rule of their own.
  EXPECT_EQ(times_of(true, {12h + 57min, 1h + 3min, 11h + 59min, 12h, 12h + 59min, 1h}),
            (Times{"02-28T12:57", "02-28T13:03", "02-28T23:59", "03-01T00:00", "03-01T00:59", "03-01T01:00"}));
}

TEST(IrcClock, TakesA12HourLogThatWritesTwelveAsZero) {
  EXPECT_EQ(times_of(true, {11h + 55min, 5min, 11h + 59min, 0min}),
            (Times{"02-28T11:55", "02-28T12:05", "02-28T23:59", "03-01T00:00"}));
}

TEST(IrcClock, NeverGoesBack) {
  for (const bool twelve : {false, true}) {
    IrcClock clock(sys_days(std::chrono::year(2005) / 2 / 28), twelve);
    WallTime before{};
    for (int i = 0; i < 5000; ++i) {
      const WallTime at = clock.at(std::chrono::minutes(i * 7919 % (twelve ? 780 : 1440)));
      EXPECT_GE(at, before);
      before = at;
    }
  }
}

TEST(IrcClockKind, IsTwelveHoursUntilATimeIsPastHourTwelve) {
  IrcClockKind kind;
  EXPECT_TRUE(kind.twelve_hours());
  kind.saw(12h + 59min);
  EXPECT_TRUE(kind.twelve_hours());
  kind.saw(13h);
  EXPECT_FALSE(kind.twelve_hours());
  kind.saw(1h);
  EXPECT_FALSE(kind.twelve_hours());
}

TEST(DateInName, IsFoundInItsThreeForms) {
  const sys_days day(std::chrono::year(2004) / 11 / 15);
  for (const char* name : {"2004-11-15.txt", "2004-11-15_03.txt", "2004-11-15.train-a.raw.txt", "ubuntu-2004_11_15.log",
                           "x20041115.log", "12 2004-11-15", "2004-99-99 2004-11-15"}) {
    EXPECT_EQ(date_in_name(name), day) << name;
  }
}

TEST(DateInName, IsNothingElse) {
  for (const char* name : {"", "log.txt", "2004-11", "2004-13-01.txt", "2005-02-29.txt", "12004-11-15", "2004-11-150",
                           "2004-11_15", "200411151", "0000-01-01", "1969-12-31", "99999999"}) {
    EXPECT_EQ(date_in_name(name), std::nullopt) << name;
  }
}

TEST(ParseDate, TakesYearMonthDayAndNothingMore) {
  EXPECT_EQ(parse_date("2024-02-29"), sys_days(std::chrono::year(2024) / 2 / 29));
  for (const char* text : {"", "2024-02-30", "2024-2-3", "2024-02-29 ", "20240229", "2024/02/29", "abcd-ef-gh"}) {
    EXPECT_EQ(parse_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace parley::import
