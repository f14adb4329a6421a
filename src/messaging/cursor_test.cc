#include "messaging/cursor.h"

#include <gtest/gtest.h>

namespace parley::messaging {
namespace {

const Caller kAda{TenantId("acme"), UserId("ada"), {}, {}};

TEST(Cursor, OpensWithAnEqualScope) {
  const CursorScope scope("list_messages", kAda, {"c1", "asc"});
  EXPECT_EQ(CursorScope("list_messages", kAda, {"c1", "asc"}).open(scope.seal("payload")), "payload");
}

TEST(Cursor, IsBoundToOperationTenantUserAndParameters) {
  const std::string cursor = CursorScope("list_messages", kAda, {"c1", "asc"}).seal("payload");
  Caller other_tenant = kAda, other_user = kAda;
  other_tenant.tenant = TenantId("umbrella");
  other_user.user = UserId("eve");
  for (const CursorScope& scope :
       {CursorScope("list_replies", kAda, {"c1", "asc"}), CursorScope("list_messages", other_tenant, {"c1", "asc"}),
        CursorScope("list_messages", other_user, {"c1", "asc"}), CursorScope("list_messages", kAda, {"c2", "asc"}),
        CursorScope("list_messages", kAda, {"c1", "desc"}), CursorScope("list_messages", kAda, {"c1a", "sc"}),
        CursorScope("list_messages", kAda, {"c1", "asc", ""})}) {
    EXPECT_EQ(scope.open(cursor).error().code, "invalid_cursor");
  }
}

TEST(Cursor, RefusesEverythingThatItDidNotMake) {
  const CursorScope scope("list_messages", kAda, {"c1"});
  const std::string good = scope.seal("n42:");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bent = good;
    bent[i] = bent[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(scope.open(bent).has_value()) << i;
    EXPECT_FALSE(scope.open(good.substr(0, i)).has_value()) << i;
  }
  for (const char* bad : {"", "x", "====", "not a cursor", "bjQyOg"}) EXPECT_FALSE(scope.open(bad).has_value()) << bad;
  EXPECT_FALSE(scope.open(good + "A").has_value());
}

TEST(Cursor, PayloadsComeBackAsTheyWent) {
  for (const SeqPoint point :
       {SeqPoint{1}, SeqPoint{9'007'199'254'740'991}, SeqPoint{7, true, false}, SeqPoint{7, true, true}}) {
    const auto back = parse_seq_point(to_payload(point)).value();
    EXPECT_EQ(back.seq, point.seq);
    EXPECT_EQ(back.two_way, point.two_way);
    EXPECT_EQ(back.backwards, point.backwards);
  }
  const auto conversation =
      parse_conversation_point(
          to_payload(ConversationListPoint{WallTime(std::chrono::milliseconds(-5)), ConversationId("a:b")}))
          .value();
  EXPECT_EQ(conversation.last_activity_at, WallTime(std::chrono::milliseconds(-5)));
  EXPECT_EQ(conversation.id, ConversationId("a:b"));
  const auto member =
      parse_member_point(to_payload(MemberListPoint{WallTime(std::chrono::milliseconds(12)), UserId("ü")})).value();
  EXPECT_EQ(member.joined_at, WallTime(std::chrono::milliseconds(12)));
  EXPECT_EQ(member.user_id, UserId("ü"));
  for (const char* bad : {"", "n", "n:", "x1:", "n1", "n1:x", "1:"})
    EXPECT_FALSE(parse_seq_point(bad).has_value()) << bad;
  for (const char* bad : {"", ":", "x:y", "1"}) EXPECT_FALSE(parse_member_point(bad).has_value()) << bad;
}

}  // namespace
}  // namespace parley::messaging
