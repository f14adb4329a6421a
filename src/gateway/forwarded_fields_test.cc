#include "gateway/forwarded_fields.h"

#include <gtest/gtest.h>

#include <map>

namespace parley::gateway {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class ForwardedFieldsTest : public ::testing::Test {
 protected:
  // What comes out, by name; fails the test when a name comes out twice.
  std::map<std::string, std::string> forward(const Pairs& pairs) {
    http::Fields client;
    for (const auto& [name, value] : pairs) EXPECT_TRUE(client.add(name, value));
    out.clear();
    EXPECT_TRUE(forward_fields(client, facts, out));
    std::map<std::string, std::string> all;
    for (const http::Field& field : out) {
      EXPECT_TRUE(all.emplace(field.name, field.value).second) << field.name;
    }
    return all;
  }

  ForwardedFacts facts{.forwarded_for = "10.1.2.3", .request_id = "rid", .scheme = "http"};
  http::Fields out;
};

TEST_F(ForwardedFieldsTest, LeavesOutWhatBelongsToTheConnection) {
  const auto sent = forward({{"Host", "chat.example"},
                             {"Connection", "keep-alive"},
                             {"Keep-Alive", "timeout=5"},
                             {"Proxy-Authorization", "Basic x"},
                             {"Proxy-Connection", "close"},
                             {"proxy-anything", "x"},
                             {"TE", "trailers"},
                             {"Trailer", "X-Sum"},
                             {"Transfer-Encoding", "chunked"},
                             {"Upgrade", "h2c"},
                             {"Expect", "100-continue"},
                             {"Content-Length", "5"},
                             {"Authorization", "Bearer t"},
                             {"Content-Type", "application/json"},
                             {"If-Match", "\"3\""}});
  const std::map<std::string, std::string> expected = {
      {"Authorization", "Bearer t"},   {"Content-Type", "application/json"},
      {"If-Match", "\"3\""},           {"Via", "1.1 parley"},
      {"X-Forwarded-For", "10.1.2.3"}, {"X-Forwarded-Host", "chat.example"},
      {"X-Forwarded-Proto", "http"},   {"X-Request-Id", "rid"}};
  EXPECT_EQ(sent, expected);
}

TEST_F(ForwardedFieldsTest, LeavesOutWhatConnectionNamesButNeverWhatTheGatewayAdds) {
  const auto sent = forward({{"Host", "a"},
                             {"Connection", "close, X-Secret ,\tx-other,"},
                             {"connection", "X-Forwarded-For, X-Request-Id, via"},
                             {"X-Secret", "1"},
                             {"X-Other", "2"},
                             {"X-Kept", "3"}});
  EXPECT_EQ(sent.count("X-Secret"), 0u);
  EXPECT_EQ(sent.count("X-Other"), 0u);
  EXPECT_EQ(sent.at("X-Kept"), "3");
  EXPECT_EQ(sent.at("X-Forwarded-For"), "10.1.2.3");
  EXPECT_EQ(sent.at("X-Request-Id"), "rid");
}

TEST_F(ForwardedFieldsTest, ReplacesWhatAClientClaimsOfTheWayItCame) {
  const auto sent = forward({{"Host", "real"},
                             {"X-Forwarded-For", "1.1.1.1"},
                             {"x-forwarded-for", "2.2.2.2"},
                             {"X-FORWARDED-PROTO", "https"},
                             {"X-Forwarded-Host", "evil"},
                             {"X-Forwarded-Port", "1"},
                             {"X-Forwarded-Prefix", "/x"},
                             {"X-Real-IP", "3.3.3.3"},
                             {"Forwarded", "for=4.4.4.4"},
                             {"X-Request-Id", "not valid"},
                             {"Traceparent", "00-bad"}});
  EXPECT_EQ(sent.at("X-Forwarded-For"), "10.1.2.3");
  EXPECT_EQ(sent.at("X-Forwarded-Proto"), "http");
  EXPECT_EQ(sent.at("X-Forwarded-Host"), "real");
  EXPECT_EQ(sent.size(), 5u);
}

TEST_F(ForwardedFieldsTest, BelievesTheProtoAndHostOfATrustedProxy) {
  facts.client_is_trusted = true;
  facts.forwarded_for = "9.9.9.9, 10.1.2.3";
  const auto sent = forward({{"Host", "inner"},
                             {"X-Forwarded-For", "9.9.9.9"},
                             {"X-Forwarded-Proto", "https"},
                             {"X-Forwarded-Host", "chat.example"},
                             {"X-Forwarded-Port", "443"}});
  EXPECT_EQ(sent.at("X-Forwarded-For"), "9.9.9.9, 10.1.2.3");
  EXPECT_EQ(sent.at("X-Forwarded-Proto"), "https");
  EXPECT_EQ(sent.at("X-Forwarded-Host"), "chat.example");
  EXPECT_EQ(sent.count("X-Forwarded-Port"), 0u);
}

TEST_F(ForwardedFieldsTest, AddsATraceOnlyWhenThereIsOne) {
  facts.traceparent = "00-aa-bb-00";
  const auto sent = forward({{"Host", "a"}, {"traceparent", "old"}});
  EXPECT_EQ(sent.at("traceparent"), "00-aa-bb-00");
}

TEST_F(ForwardedFieldsTest, KeepsRepeatedFieldsInOrder) {
  http::Fields client;
  for (const char* value : {"a", "b", "c"}) ASSERT_TRUE(client.add("X-List", value));
  ASSERT_TRUE(forward_fields(client, facts, out));
  std::string values;
  for (const http::Field& field : out) {
    if (field.name == "X-List") values += field.value;
  }
  EXPECT_EQ(values, "abc");
}

TEST_F(ForwardedFieldsTest, RefusesWhenTheFieldsOfItsOwnFindNoRoom) {
  http::Fields client;
  while (client.add("X-Filler", "x")) {
  }
  EXPECT_FALSE(forward_fields(client, facts, out));
}

TEST_F(ForwardedFieldsTest, RefusesAConnectionFieldThatNamesTooMuchToCheck) {
  std::string list;
  for (int i = 0; i < 40; ++i) list += "x-" + std::to_string(i) + ",";
  http::Fields client;
  ASSERT_TRUE(client.add("Connection", list));
  EXPECT_FALSE(forward_fields(client, facts, out));
}

}  // namespace
}  // namespace parley::gateway
