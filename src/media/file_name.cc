#include "media/file_name.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace parley::media {

namespace {

constexpr std::size_t kMaxBytes = 255;
constexpr std::size_t kMaxExtensionBytes = 32;
constexpr std::string_view kReplacement = "\ufffd";

struct CharacterRange {
  std::string_view first, last;  // UTF-8 compares as its code points do
  bool holds(std::string_view character) const { return first <= character && character <= last; }
};
// C0 and DEL are looked at as bytes; these are C1, and the separators of lines and paragraphs.
constexpr std::array<CharacterRange, 2> kControls = {{{"\u0080", "\u009f"}, {"\u2028", "\u2029"}}};
// They show nothing, or turn what follows around, so that "exe.txt" can be read where "txt.exe" stands. Joiners, which
// scripts and emoji need, are not among them.
constexpr std::array<CharacterRange, 7> kInvisible = {{{"\u00ad", "\u00ad"},
                                                       {"\u061c", "\u061c"},
                                                       {"\u200b", "\u200b"},
                                                       {"\u200e", "\u200f"},
                                                       {"\u202a", "\u202e"},
                                                       {"\u2060", "\u206f"},
                                                       {"\ufeff", "\ufeff"}}};

template <std::size_t N>
bool is_among(const std::array<CharacterRange, N>& ranges, std::string_view character) {
  return std::ranges::any_of(ranges, [&](const CharacterRange& range) { return range.holds(character); });
}

std::string_view last_part(std::string_view path) {
  constexpr std::string_view kSeparators = "/\\";
  const std::size_t end = path.find_last_not_of(kSeparators);
  if (end == std::string_view::npos) return {};
  path = path.substr(0, end + 1);
  const std::size_t separator = path.find_last_of(kSeparators);
  return separator == std::string_view::npos ? path : path.substr(separator + 1);
}

// How many bytes the character at the front has, going by its first.
std::size_t length_of_first(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

std::string readable(std::string_view raw) {
  std::string text;
  while (!raw.empty()) {
    const std::string_view character = raw.substr(0, length_of_first(raw));
    if (!is_valid_utf8(character)) {
      text += kReplacement;
      raw.remove_prefix(1);
      continue;
    }
    const auto byte = static_cast<unsigned char>(character.front());
    if (byte < 0x20 || byte == 0x7f || is_among(kControls, character)) {
      text += ' ';
    } else if (!is_among(kInvisible, character)) {
      text += character;
    }
    raw.remove_prefix(character.size());
  }
  return text;
}

// Windows would drop blanks and dots from the end, and then find something else.
std::string_view trimmed_at_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" .") + 1);
}
std::string_view trimmed(std::string_view text) {
  text = trimmed_at_end(text);
  return text.substr(std::min(text.find_first_not_of(' '), text.size()));
}

// At most `limit` bytes, of whole characters.
std::string_view cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while ((static_cast<unsigned char>(text[limit]) & 0xc0) == 0x80) --limit;
  return trimmed_at_end(text.substr(0, limit));
}

std::string shortened(std::string_view name) {
  if (name.size() <= kMaxBytes) return std::string(name);
  const std::size_t dot = name.rfind('.');
  const std::string_view extension = dot == std::string_view::npos ? std::string_view() : name.substr(dot);
  if (extension.size() > kMaxExtensionBytes || extension.find(' ') != std::string_view::npos) {
    return std::string(cut(name, kMaxBytes));
  }
  return std::string(cut(name.substr(0, name.size() - extension.size()), kMaxBytes - extension.size()))
      .append(extension);
}

// With any extension, too: "nul.txt" opens nothing on Windows but the device.
bool is_device_of_windows(std::string_view name) {
  const std::string_view stem = trimmed_at_end(name.substr(0, name.find('.')));
  const auto is = [](std::string_view text) {
    return [text](std::string_view other) { return equals_ignoring_ascii_case(text, other); };
  };
  constexpr std::array<std::string_view, 6> kDevices = {"con", "prn", "aux", "nul", "conin$", "conout$"};
  if (std::ranges::any_of(kDevices, is(stem))) return true;
  constexpr std::array<std::string_view, 2> kPorts = {"com", "lpt"};
  constexpr std::array<std::string_view, 13> kNumbers = {"0", "1", "2", "3",      "4",      "5",     "6",
                                                         "7", "8", "9", "\u00b9", "\u00b2", "\u00b3"};
  return stem.size() > 3 && std::ranges::any_of(kPorts, is(stem.substr(0, 3))) &&
         std::ranges::find(kNumbers, stem.substr(3)) != kNumbers.end();
}

}  // namespace

std::string safe_file_name(std::string_view raw) {
  const std::string text = readable(last_part(raw));
  std::string name = shortened(trimmed(text));
  if (is_device_of_windows(name)) name = shortened("_" + name);
  return name.empty() ? "file" : name;
}

}  // namespace parley::media
