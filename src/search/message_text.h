// The text of a message as it is indexed: what was said, then the names of its files, each on a line. Pure; any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::search {

std::string message_text(std::string_view content, const std::vector<std::string>& file_names);
// The names, each on a line, where they begin at `names_at` of such a text.
std::string_view names_in(std::string_view text, std::optional<std::int64_t> names_at);
bool has_link(std::string_view content);

}  // namespace parley::search
