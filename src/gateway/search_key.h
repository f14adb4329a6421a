// SearchKey: under which name the answer to a search is kept: who asks, where, and the parameters, decoded and in the
// order of their names, so that spellings of one query meet. No further: a cursor is bound to the text of its query.
// Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "tenancy/caller.h"

namespace parley::gateway {

struct SearchKey {
  std::string text;
  std::string q;           // decoded; empty: none
  bool continues = false;  // it asks for a further page
};

// Nullopt for what only search can answer: no plain GET without a body; Cache-Control asks past caches; a parameter
// comes twice, is not well-formed, or is min_position, which wants to see what was written a moment ago.
std::optional<SearchKey> search_key(const Caller& caller, const http::Request& request);

}  // namespace parley::gateway
