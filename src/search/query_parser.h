// parse_query: the query language. Words (all must match), "phrases", prefix*, -not, a OR b, from: in: before: after:
// on: (days in UTC, or RFC 3339 times) has:file|link|reaction mentions:me, each also behind a minus. What cannot be
// parsed is searched as text, so there is no syntax error. Pure. fail: invalid (query.q) above kMaxQueryBytes, or not
// UTF-8. Phrases beyond kMaxPhrases are left out.
#pragma once
#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "search/query.h"

namespace parley::search {

inline constexpr std::size_t kMaxQueryBytes = 1024;
inline constexpr std::size_t kMaxPhrases = 32;

Result<Query> parse_query(std::string_view text);

// One filter of the language by itself: `field` is from, in, before, after, on, has or mentions; `excluded` is the
// minus before it. False, and nothing changed, when `value` is none that the field takes.
bool add_filter(Query& query, std::string_view field, std::string_view value, bool excluded = false);

}  // namespace parley::search
