#include "events/kafka_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "events/testing/memory_event_log.h"

namespace parley::events {
namespace {

using testing::event_of;
using ::testing::HasSubstr;
using ::testing::Not;

kafka::InRecord received(const kafka::OutRecord& record) {
  return {.partition = 3, .offset = 9, .key = record.key, .value = record.value, .headers = record.headers};
}

TEST(KafkaRecords, AnEventComesBackAsItWas) {
  Event event = event_of(1234, "c\"1", 7);
  event.tenant = TenantId("acme ü");
  event.data = R"({"n":9007199254740993,"t":"é\n","x":null,"a":[1.5,true]})";
  const auto read = read_record(received(record_of(event, "t", "/parley/messaging")));
  ASSERT_TRUE(read) << read.error().detail;
  const Event& back = std::get<Event>(*read);
  EXPECT_EQ(back.offset, event.offset);
  EXPECT_EQ(back.id, event.id);
  EXPECT_EQ(back.type, event.type);
  EXPECT_EQ(back.tenant, event.tenant);
  EXPECT_EQ(back.scope, event.scope);
  EXPECT_EQ(back.key, event.key);
  EXPECT_EQ(back.number, event.number);
  EXPECT_EQ(back.time, event.time);
  EXPECT_EQ(back.subject, event.subject);
  EXPECT_EQ(boost::json::parse(back.data), boost::json::parse(event.data));
}

TEST(KafkaRecords, AUsersEventIsKeyedByTheUser) {
  const Event event = event_of(5, "ada", 2, EventScope::kUser);
  const auto record = record_of(event, "t", "/parley/messaging");
  EXPECT_EQ(record.key,
            "acme\x1f"
            "ada");
  const auto read = read_record(received(record));
  ASSERT_TRUE(read);
  EXPECT_EQ(std::get<Event>(*read).scope, EventScope::kUser);
  EXPECT_EQ(std::get<Event>(*read).key, "ada");
}

TEST(KafkaRecords, WatermarksComeBackAsTheyWere) {
  for (const auto gap : {Watermark::Gap::kNone, Watermark::Gap::kSkipped, Watermark::Gap::kRestarted}) {
    const Watermark mark{.through = {77}, .partitions = 12, .gap = gap};
    const auto record = record_of(mark, "t", 4, "/parley/messaging", WallTime(std::chrono::milliseconds(0)));
    EXPECT_EQ(record.partition, 4);
    EXPECT_EQ(record.key, std::nullopt);
    const auto read = read_record(received(record));
    ASSERT_TRUE(read);
    const Watermark& back = std::get<Watermark>(*read);
    EXPECT_EQ(back.through.value, 77);
    EXPECT_EQ(back.partitions, 12);
    EXPECT_EQ(back.gap, gap);
  }
}

TEST(KafkaRecords, UnknownAttributesAndHeadersArePassedOver) {
  auto record = received(record_of(event_of(5), "t", "/parley/messaging"));
  record.value.insert(1, R"("traceparent":"x","newthing":{"a":1},)");
  record.headers.emplace_back("later", "x");
  EXPECT_TRUE(read_record(record));
}

TEST(KafkaRecords, WhatIsNoEventIsToldWithoutItsContent) {
  const auto good = received(record_of(event_of(5), "t", "/parley/messaging"));
  const auto changed = [&](std::string_view from, std::string_view to) {
    kafka::InRecord record = good;
    record.value.replace(record.value.find(from), from.size(), to);
    return record;
  };
  kafka::InRecord no_header = good;
  std::erase_if(no_header.headers, [](const auto& each) { return each.first == kOffsetHeader; });
  kafka::InRecord odd_header = no_header;
  odd_header.headers.emplace_back(kOffsetHeader, "-5");
  kafka::InRecord garbage = good;
  garbage.value = "secret words";
  kafka::InRecord empty = good;
  empty.value.clear();
  for (const kafka::InRecord& bad :
       {no_header, odd_header, garbage, empty, changed(R"("specversion":"1.0")", R"("specversion":"2.0")"),
        changed(R"("id":"e5",)", ""), changed(R"("eventnumber":5)", R"("eventnumber":0)"),
        changed(R"("eventnumber":5)", R"("eventnumber":"5")"), changed("conversationid", "conversation"),
        changed(R"("data":{"id":"s"})", R"("data":"secret")"), changed("2023-11-14T", "yesterday"),
        changed(R"("tenantid":"acme")", R"("tenantid":"")")}) {
    const auto read = read_record(bad);
    ASSERT_FALSE(read) << bad.value;
    EXPECT_EQ(read.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(read.error().detail, Not(HasSubstr("secret")));
  }
}

TEST(KafkaRecords, DeadLettersCarryTheRecordAndTheReason) {
  auto record = received(record_of(event_of(5), "t", "/parley/messaging"));
  const auto letter = dead_letter_of(record, "p.messaging.events", "the attribute id");
  EXPECT_EQ(letter.topic, "p.messaging.events.dead_letters");
  EXPECT_EQ(letter.key, record.key);
  EXPECT_EQ(letter.value, record.value);
  EXPECT_THAT(letter.headers, ::testing::Contains(::testing::Pair(kReasonHeader, "the attribute id")));
  EXPECT_THAT(letter.headers, ::testing::Contains(::testing::Pair("parley-from", "p.messaging.events/3/9")));
}

}  // namespace
}  // namespace parley::events
