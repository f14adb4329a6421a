#include "messaging/cursor.h"

#include <array>
#include <charconv>

#include "base/sha256.h"
#include "base/text.h"

namespace parley::messaging {

namespace {

constexpr std::size_t kDigestBytes = 9;  // 12 characters of base64url

// Each part with its length before it, so that no two lists of parts make one text.
void append_part(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

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

CursorScope::CursorScope(std::string_view operation, const Caller& caller,
                         std::initializer_list<std::string_view> parameters) {
  append_part(scope_, operation);
  append_part(scope_, caller.tenant.value);
  append_part(scope_, caller.user.value);
  for (const std::string_view parameter : parameters) append_part(scope_, parameter);
}

std::string CursorScope::digest_of(std::string_view payload) const {
  std::string text = scope_;
  append_part(text, payload);
  const Sha256 digest = sha256(text);
  return std::string(reinterpret_cast<const char*>(digest.data()), kDigestBytes);
}

std::string CursorScope::seal(std::string_view payload) const {
  return base64url_encode(digest_of(payload).append(payload));
}

Result<std::string> CursorScope::open(std::string_view cursor) const {
  const auto bytes = base64url_decode(cursor);
  if (!bytes || bytes->size() <= kDigestBytes) return invalid_cursor();
  std::string payload = bytes->substr(kDigestBytes);
  if (bytes->compare(0, kDigestBytes, digest_of(payload)) != 0) return invalid_cursor();
  return payload;
}

std::unexpected<Error> invalid_cursor() {
  return fail(Error{ErrorKind::kInvalid,
                    "invalid_cursor",
                    "The cursor is not one of this list with these parameters.",
                    {{"query.cursor", "must be a next_cursor or prev_cursor of this list with the same parameters"}},
                    {}});
}

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
