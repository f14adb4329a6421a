// highlight: a snippet of `text` around the first match, HTML-escaped, with what matched in <em>. It finds words the
// way the index does, so that a stem or a folded letter lights up in the spelling of the text. HTML in a text never
// comes out as HTML. Pure; any thread.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "search/query.h"

namespace parley::search {

inline constexpr std::size_t kSnippetBytes = 240;

std::string highlight(std::string_view text, const Query& query, std::size_t most_bytes = kSnippetBytes);

}  // namespace parley::search
