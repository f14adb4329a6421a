#include "events/event.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <set>

#include "events/position.h"

namespace parley::events {
namespace {

TEST(CloudEvent, CarriesTheEnvelopeOfApiEvents) {
  const Event event{.offset = {7},
                    .id = EventId("0192f3a1-7e00-7000-8000-00000000e000"),
                    .type = "message.created",
                    .tenant = TenantId("acme \"x\""),
                    .scope = EventScope::kConversation,
                    .key = "c\n1",
                    .number = 12,
                    .time = WallTime(std::chrono::milliseconds(1'700'000'000'123)),
                    .subject = "m",
                    .data = R"({"id":"m"})"};
  const auto json = boost::json::parse(to_cloud_event_json(event, "/parley/messaging")).as_object();
  EXPECT_EQ(json.at("specversion"), "1.0");
  EXPECT_EQ(json.at("id"), "0192f3a1-7e00-7000-8000-00000000e000");
  EXPECT_EQ(json.at("source"), "/parley/messaging");
  EXPECT_EQ(json.at("time"), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(json.at("tenantid"), "acme \"x\"");
  EXPECT_EQ(json.at("conversationid"), "c\n1");
  EXPECT_EQ(json.at("eventnumber"), 12);
  EXPECT_EQ(json.at("data").at("id"), "m");
  EXPECT_FALSE(json.contains("userid"));
}

TEST(CloudEvent, OfAUserIsKeyedByTheUser) {
  Event event;
  event.scope = EventScope::kUser;
  event.key = "u";
  event.data = "{}";
  const auto json = boost::json::parse(to_cloud_event_json(event, "/parley/messaging")).as_object();
  EXPECT_EQ(json.at("userid"), "u");
  EXPECT_FALSE(json.contains("conversationid"));
}

class PositionTest : public ::testing::Test {
 protected:
  static PositionCodec::Secret secret(std::uint8_t first) {
    PositionCodec::Secret bytes{};
    bytes[0] = first;
    return bytes;
  }
  const PositionCodec codec_{secret(1)};
  const TenantId acme_{"acme"};
};

TEST_F(PositionTest, AnOffsetComesBackForItsTenantOnly) {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 40, INT64_MAX}) {
    const auto text = codec_.encode(acme_, {value});
    EXPECT_EQ(text, codec_.encode(acme_, {value}));
    EXPECT_EQ(codec_.decode(acme_, text), LogOffset{value});
    EXPECT_EQ(codec_.decode(TenantId("other"), text), std::nullopt);
    EXPECT_EQ(PositionCodec(secret(2)).decode(acme_, text), std::nullopt);
  }
}

TEST_F(PositionTest, NeighboursLookNothingAlike) {
  std::set<std::string> heads;
  for (std::int64_t i = 0; i < 100; ++i) heads.insert(codec_.encode(acme_, {i}).substr(0, 6));
  EXPECT_EQ(heads.size(), 100u);
}

TEST_F(PositionTest, AnythingElseIsNoPosition) {
  const auto text = codec_.encode(acme_, {7});
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(codec_.decode(acme_, changed), std::nullopt) << changed;
  }
  for (const std::string& junk :
       {std::string(), text + "A", text.substr(1), std::string(1000, 'A'), std::string("é")}) {
    EXPECT_EQ(codec_.decode(acme_, junk), std::nullopt) << junk;
  }
}

}  // namespace
}  // namespace parley::events
