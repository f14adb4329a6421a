#include "messaging/if_match.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace parley::messaging {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(IfMatch, NoHeaderAndStarAreNoCondition) {
  EXPECT_EQ(parse_if_match(std::nullopt).value(), std::nullopt);
  EXPECT_EQ(parse_if_match("*").value(), std::nullopt);
}

TEST(IfMatch, TakesOneTagOrAList) {
  EXPECT_THAT(parse_if_match("\"3\"").value(), Optional(ElementsAre(3)));
  EXPECT_THAT(parse_if_match(" \"3\" ,\"4\", \t\"5\" ").value(), Optional(ElementsAre(3, 4, 5)));
  EXPECT_THAT(parse_if_match(entity_tag(17)).value(), Optional(ElementsAre(17)));
}

TEST(IfMatch, WeakAndForeignTagsMatchNothing) {
  for (const char* header : {"W/\"3\"", "\"abc\"", "\"\"", "\"03\"", "\"-1\"", "\"99999999999999999999\"", "\"3 \""}) {
    EXPECT_THAT(parse_if_match(header).value(), Optional(IsEmpty())) << header;
  }
  EXPECT_THAT(parse_if_match("W/\"3\", \"4\"").value(), Optional(ElementsAre(4)));
}

TEST(IfMatch, RefusesWhatIsNoListOfTags) {
  for (const char* header :
       {"", "3", "\"3", "3\"", "\"3\" \"4\"", "\"3\",", ",\"3\"", "*,\"3\"", "w/\"3\"", "\"3\"x"}) {
    const auto guard = parse_if_match(header);
    ASSERT_FALSE(guard.has_value()) << header;
    EXPECT_EQ(guard.error().fields.at(0).path, "header.If-Match");
  }
}

}  // namespace
}  // namespace parley::messaging
