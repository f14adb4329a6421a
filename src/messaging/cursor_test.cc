#include "messaging/cursor.h"

#include <gtest/gtest.h>

namespace parley::messaging {
namespace {

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
