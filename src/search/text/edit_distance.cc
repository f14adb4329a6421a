#include "search/text/edit_distance.h"

#include <algorithm>
#include <array>
#include <string>

#include "search/text/analysis.h"

namespace parley::search {

namespace {

// Terms are valid UTF-8 of at most kMaxTermBytes.
struct Letters {
  std::array<char32_t, kMaxTermBytes> at{};
  std::size_t count = 0;

  explicit Letters(std::string_view word) {
    for (const char c : word) {
      const auto byte = static_cast<unsigned char>(c);
      if ((byte & 0xC0) == 0x80 && count > 0) {
        at[count - 1] = at[count - 1] << 6 | (byte & 0x3F);
      } else if (count < at.size()) {
        at[count++] = byte;
      }
    }
  }
};

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t most) {
  const Letters from(a), to(b);
  const std::size_t apart = from.count > to.count ? from.count - to.count : to.count - from.count;
  if (apart >= most) return most;
  using Row = std::array<std::size_t, kMaxTermBytes + 1>;
  Row before{}, last{}, row{};
  for (std::size_t j = 0; j <= to.count; ++j) last[j] = j;
  for (std::size_t i = 1; i <= from.count; ++i) {
    row[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= to.count; ++j) {
      const bool same = from.at[i - 1] == to.at[j - 1];
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && from.at[i - 1] == to.at[j - 2] && from.at[i - 2] == to.at[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
      least = std::min(least, row[j]);
    }
    if (least > most) return most;
    before = last;
    last = row;
  }
  return last[to.count];
}

std::size_t near_distance(std::string_view word) {
  const std::size_t letters = Letters(word).count;
  return letters < 4 ? 0 : letters < 7 ? 1 : 2;
}

}  // namespace parley::search
