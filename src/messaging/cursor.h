// What the cursors of messaging's lists hold: the payloads that http::CursorScope seals and opens. Pure, any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/cursor_scope.h"
#include "messaging/commands.h"

namespace parley::messaging {

using http::CursorScope;
using http::invalid_cursor;

// Each parse_ answers 400 invalid_cursor for what its counterpart did not write.
struct SeqPoint {
  Seq seq = 0;
  bool two_way = false;    // of a page that `around` began: it has cursors both ways
  bool backwards = false;  // the page before `seq` rather than behind it
};
std::string to_payload(const SeqPoint& point);
Result<SeqPoint> parse_seq_point(std::string_view payload);

std::string to_payload(const ConversationListPoint& point);
Result<ConversationListPoint> parse_conversation_point(std::string_view payload);

std::string to_payload(const MemberListPoint& point);
Result<MemberListPoint> parse_member_point(std::string_view payload);

}  // namespace parley::messaging
