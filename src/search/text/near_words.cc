#include "search/text/near_words.h"

#include <algorithm>

#include "search/text/analysis.h"
#include "search/text/edit_distance.h"

namespace parley::search {

namespace {

class CountingSink final : public TokenSink {
 public:
  explicit CountingSink(std::unordered_map<std::string, int>& counts) : counts_(counts) {}
  bool on_token(std::string_view term, std::size_t, std::size_t, bool same_place) override {
    // What shares a place is a stem or a part, which nobody wrote as a word.
    if (!same_place) ++counts_[std::string(term)];
    return true;
  }

 private:
  std::unordered_map<std::string, int>& counts_;
};

class TypedSink final : public TokenSink {
 public:
  bool on_token(std::string_view term, std::size_t begin, std::size_t end, bool same_place) override {
    if (!same_place) words.push_back({std::string(term), begin, end});
    return true;
  }
  std::vector<TypedWord> words;
};

}  // namespace

void WordCounts::add(std::string_view text) {
  CountingSink sink(counts_);
  analyze(text, sink);
}

std::optional<std::string> WordCounts::nearest(const std::string& term) const {
  const std::pair<const std::string, int>* best = nullptr;
  std::size_t best_distance = near_distance(term);
  for (const auto& candidate : counts_) {
    const std::size_t distance = edit_distance(term, candidate.first, best_distance + 1);
    if (distance > best_distance) continue;
    const bool better = !best || distance < best_distance || candidate.second > best->second ||
                        (candidate.second == best->second && candidate.first < best->first);
    if (!better) continue;
    best = &candidate;
    best_distance = distance;
  }
  return best ? std::optional(best->first) : std::nullopt;
}

std::vector<TypedWord> words_to_mend(const Phrase& phrase) {
  TypedSink typed;
  analyze(phrase.text, typed);
  if (phrase.prefix && !typed.words.empty()) typed.words.pop_back();
  std::erase_if(typed.words, [](const TypedWord& word) { return near_distance(word.term) == 0; });
  std::ranges::reverse(typed.words);
  return std::move(typed.words);
}

std::string as_typed(const Phrase& phrase, const std::string& text, bool excluded) {
  std::string out = excluded ? "-" : "";
  const bool quoted = phrase.exact || text.find(' ') != text.npos;
  out += quoted ? '"' + text + '"' : text;
  if (phrase.prefix) out += '*';
  return out;
}

}  // namespace parley::search
