// How far a mistyped word is from another: letters added, left out or changed, and neighbours swapped, each 1. By code
// point. Pure; any thread.
#pragma once
#include <cstddef>
#include <string_view>

namespace parley::search {

// Exact below `most`, else some value that is not.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most);

// How far a word may be from what was meant: 0 under 4 letters, 1 under 7, else 2.
std::size_t near_distance(std::string_view word);

}  // namespace parley::search
