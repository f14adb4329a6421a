// How a recent search is kept and told from others; every adapter of RecentSearches holds to it. Pure, any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::search {

// kInvalid (query.q) for what cannot be a query: above kMaxQueryBytes, or not UTF-8.
Result<> check_recent_query(std::string_view query);

// Without spaces around it.
std::string trimmed_query(std::string_view query);

// Two searches are the same when this is: case, accents and the width of spaces do not count. Empty: nothing to keep.
std::string sameness_of(const std::string& query);

}  // namespace parley::search
