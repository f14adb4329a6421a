// fold: one spelling for what readers take for the same word. NFKC and case folding, then diacritics off (é, ñ, İ, ى,
// ё), ß as ss, ı as i, tatweel dropped; vowel signs of Thai and Indic scripts stay, for without them words become
// others. Pure; any thread. Broken UTF-8 comes back as it is read: replaced.
#pragma once
#include <string>
#include <string_view>

namespace parley::search {

std::string fold(std::string_view text);
// The same, appended to `out`; ASCII takes a short way.
void fold_into(std::string_view text, std::string& out);
bool is_ascii(std::string_view text);

}  // namespace parley::search
