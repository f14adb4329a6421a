// Cursors of lists: opaque to clients, bound to what they page through. The text is base64url of a digest over the
// scope and a small payload; the digest tells a cursor of another list, and damage, from a good one. It is no secret: a
// payload says no more than the page that it came with, and rights are checked anew on each page. Pure, any thread.
#pragma once
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tenancy/caller.h"

namespace parley::http {

// What a cursor belongs to: an operation with the parameters that shape its list, for one user of one tenant.
class CursorScope {
 public:
  CursorScope(std::string_view operation, const Caller& caller, std::initializer_list<std::string_view> parameters);

  std::string seal(std::string_view payload) const;
  // 400 invalid_cursor unless seal() of an equal scope made `cursor`.
  Result<std::string> open(std::string_view cursor) const;

  // One text for each scope: what tells this list from every other.
  const std::string& text() const { return scope_; }

 private:
  std::string digest_of(std::string_view payload) const;
  std::string scope_;
};

// 400 invalid_cursor.
std::unexpected<Error> invalid_cursor();

}  // namespace parley::http
