#include "telemetry/trace_context.h"

#include <gtest/gtest.h>

#include <set>

namespace parley {
namespace {

constexpr std::string_view kValid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceParent, IsReadInItsParts) {
  const auto parent = parse_traceparent(kValid);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(parent->parent_id, "b7ad6b7169203331");
  EXPECT_TRUE(parent->sampled);
  EXPECT_FALSE(parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe")->sampled);
}

TEST(TraceParent, OfALaterVersionMayGoOn) {
  EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_TRUE(parse_traceparent("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"));
}

TEST(TraceParent, IsRefusedWhenMalformed) {
  for (const char* bad : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
                          "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "0g-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                          "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0G",
                          "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319cb7ad6b7169203331-01--",
                          "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x"}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(RequestIds, MakeAChildOfTheTraceThatCameIn) {
  SeededRandom random(1);
  RequestIds ids(random);
  const std::string child = ids.traceparent_for(kValid);
  const auto parsed = parse_traceparent(child);
  ASSERT_TRUE(parsed) << child;
  EXPECT_EQ(parsed->trace_id, "0af7651916cd43dd8448eb211c80319c");
  EXPECT_NE(parsed->parent_id, "b7ad6b7169203331");
  EXPECT_TRUE(parsed->sampled);
  EXPECT_EQ(child.substr(0, 2), "00");
  EXPECT_TRUE(ids.traceparent_for("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff-x").ends_with("-01"));
  EXPECT_TRUE(ids.traceparent_for("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02").ends_with("-00"));
}

TEST(RequestIds, BeginATraceOfTheirOwnWhenNoneIsValid) {
  SeededRandom random(2);
  RequestIds ids(random);
  std::set<std::string> traces;
  for (const char* incoming : {"", "junk", "00-00000000000000000000000000000000-b7ad6b7169203331-01"}) {
    const std::string made = ids.traceparent_for(incoming);
    const auto parsed = parse_traceparent(made);
    ASSERT_TRUE(parsed) << made;
    EXPECT_FALSE(parsed->sampled);
    EXPECT_TRUE(traces.insert(std::string(parsed->trace_id)).second);
  }
}

TEST(RequestIds, AreValidShortAndNeverTheSame) {
  SeededRandom random(3), other_random(4);
  RequestIds ids(random), others(other_random);
  std::set<std::string> seen;
  for (int i = 0; i < 10'000; ++i) {
    for (RequestIds* source : {&ids, &others}) {
      const std::string id = source->next_request_id();
      EXPECT_EQ(id.size(), 15u);
      ASSERT_TRUE(is_valid_request_id(id)) << id;
      ASSERT_TRUE(seen.insert(id).second) << id;
    }
  }
}

TEST(RequestIds, KeepAValidOneAndReplaceAnyOther) {
  SeededRandom random(5);
  RequestIds ids(random);
  EXPECT_EQ(ids.request_id_for("from-the-client"), "from-the-client");
  EXPECT_EQ(ids.request_id_for(std::string(128, '~')), std::string(128, '~'));
  for (const std::string& bad : {std::string(), std::string(129, 'a'), std::string("a b"), std::string("a\nb"),
                                 std::string("\xc3\x9f"), std::string("\x7f"), std::string(1, '\0')}) {
    EXPECT_EQ(ids.request_id_for(bad).size(), 15u) << bad;
    EXPECT_FALSE(is_valid_request_id(bad));
  }
}

}  // namespace
}  // namespace parley
