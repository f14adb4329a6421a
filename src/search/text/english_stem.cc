#include "search/text/english_stem.h"

#include <libstemmer.h>

#include <memory>

#include "base/check.h"

namespace parley::search {

namespace {

sb_stemmer* stemmer() {
  static thread_local const std::unique_ptr<sb_stemmer, void (*)(sb_stemmer*)> mine(sb_stemmer_new("english", "UTF_8"),
                                                                                    sb_stemmer_delete);
  CHECK(mine != nullptr);
  return mine.get();
}

}  // namespace

bool english_stem(std::string_view word, std::string& stem) {
  if (word.size() < 3 || word.size() > 30) return false;
  for (const char c : word) {
    if (c < 'a' || c > 'z') return false;
  }
  sb_stemmer* const english = stemmer();
  const sb_symbol* const out =
      sb_stemmer_stem(english, reinterpret_cast<const sb_symbol*>(word.data()), static_cast<int>(word.size()));
  if (!out) return false;
  stem.assign(reinterpret_cast<const char*>(out), static_cast<std::size_t>(sb_stemmer_length(english)));
  return stem != word && !stem.empty();
}

}  // namespace parley::search
