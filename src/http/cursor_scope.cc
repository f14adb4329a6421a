#include "http/cursor_scope.h"

#include "base/sha256.h"
#include "base/text.h"

namespace parley::http {

namespace {

constexpr std::size_t kDigestBytes = 9;  // 12 characters of base64url

// Each part with its length before it, so that no two lists of parts make one text.
void append_part(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
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

}  // namespace parley::http
