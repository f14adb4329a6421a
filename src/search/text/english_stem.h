// english_stem: the stem of a folded word by the Snowball English rules; false when the word is its own stem or does
// not look English (other than ASCII letters, under 3 or over 30 of them). Each thread keeps a stemmer of its own.
#pragma once
#include <string>
#include <string_view>

namespace parley::search {

bool english_stem(std::string_view word, std::string& stem);

}  // namespace parley::search
