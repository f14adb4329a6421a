#include "messaging/cursor.h"

#include <charconv>

namespace parley::messaging {

namespace {

// "123:rest" → 123 and "rest".
Result<std::int64_t> take_number(std::string_view& payload) {
  std::int64_t number = 0;
  const char* const end = payload.data() + payload.size();
  const auto [rest, error] = std::from_chars(payload.data(), end, number);
  if (error != std::errc() || rest == end || *rest != ':') return invalid_cursor();
  payload.remove_prefix(static_cast<std::size_t>(rest - payload.data()) + 1);
  return number;
}

std::string time_and_id(WallTime time, const std::string& id) {
  return std::to_string(time.time_since_epoch().count()) + ':' + id;
}

}  // namespace

std::string to_payload(const SeqPoint& point) {
  const char kind = !point.two_way ? 'n' : point.backwards ? 'b' : 'f';
  return kind + std::to_string(point.seq) + ':';
}

Result<SeqPoint> parse_seq_point(std::string_view payload) {
  const char kind = payload.empty() ? '\0' : payload.front();
  if (kind != 'n' && kind != 'b' && kind != 'f') return invalid_cursor();
  payload.remove_prefix(1);
  const auto seq = take_number(payload);
  if (!seq || !payload.empty()) return invalid_cursor();
  return SeqPoint{*seq, kind != 'n', kind == 'b'};
}

std::string to_payload(const ConversationListPoint& point) {
  return time_and_id(point.last_activity_at, point.id.value);
}

Result<ConversationListPoint> parse_conversation_point(std::string_view payload) {
  const auto time = take_number(payload);
  if (!time) return invalid_cursor();
  return ConversationListPoint{WallTime(std::chrono::milliseconds(*time)), ConversationId(payload)};
}

std::string to_payload(const MemberListPoint& point) {
  return time_and_id(point.joined_at, point.user_id.value);
}

Result<MemberListPoint> parse_member_point(std::string_view payload) {
  const auto time = take_number(payload);
  if (!time) return invalid_cursor();
  return MemberListPoint{WallTime(std::chrono::milliseconds(*time)), UserId(payload)};
}

}  // namespace parley::messaging
