#include "search/text/term_phrase.h"

#include <algorithm>
#include <cstdint>

#include "search/query_parser.h"
#include "search/text/analysis.h"

namespace parley::search {

std::vector<TermPhrase> phrases_of(const Clause& clause) {
  std::vector<TermPhrase> phrases;
  for (const Phrase& phrase : clause.any_of) {
    const Match match = phrase.exact || phrase.prefix ? Match::kExact : Match::kAlsoStem;
    TermSequence sequence = terms_to_find(phrase.text, match, kMaxPhrases);
    if (sequence.empty()) continue;
    if (sequence.size() == 1 && !phrase.prefix) {
      for (std::string& term : sequence.front()) phrases.push_back({{std::move(term)}});
      continue;
    }
    TermPhrase made;
    for (auto& place : sequence) made.terms.push_back(std::move(place.front()));
    made.goes_on = phrase.prefix && may_go_on(made.terms.back());
    phrases.push_back(std::move(made));
  }
  return phrases;
}

// Notes at which places each number stands.
class PhraseCounts::Sink final : public TokenSink {
 public:
  explicit Sink(const PhraseCounts& wanted) : places(wanted.numbers_), wanted_(wanted) {}

  bool on_token(std::string_view term, std::size_t, std::size_t, bool same_place) override {
    if (!same_place) ++place_;
    if (const auto found = wanted_.terms_.find(term); found != wanted_.terms_.end()) note(found->second);
    for (const auto& [beginning, number] : wanted_.beginnings_) {
      if (term.starts_with(beginning)) note(number);
    }
    return true;
  }
  std::vector<std::vector<std::uint32_t>> places;

 private:
  void note(std::size_t number) {
    auto& at = places[number];
    if (at.empty() || at.back() != place_) at.push_back(place_);
  }
  const PhraseCounts& wanted_;
  std::uint32_t place_ = 0;
};

PhraseCounts::PhraseCounts(const std::vector<TermPhrase>& phrases) {
  for (const TermPhrase& phrase : phrases) {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < phrase.terms.size(); ++i) {
      if (phrase.goes_on && i + 1 == phrase.terms.size()) {
        beginnings_.emplace_back(phrase.terms[i], numbers_);
        numbers.push_back(numbers_++);
      } else {
        numbers.push_back(number_of(phrase.terms[i]));
      }
    }
    phrases_.push_back(std::move(numbers));
  }
}

std::size_t PhraseCounts::number_of(const std::string& term) {
  const auto [at, first] = terms_.try_emplace(term, numbers_);
  if (first) ++numbers_;
  return at->second;
}

std::string PhraseCounts::tally(std::string_view text) const {
  Sink found(*this);
  if (!phrases_.empty()) analyze(text, found);
  std::string tally;
  for (const std::vector<std::size_t>& phrase : phrases_) {
    std::ptrdiff_t times = 0;
    for (const std::uint32_t begin : found.places[phrase.front()]) {
      bool whole = true;
      for (std::size_t i = 1; whole && i < phrase.size(); ++i) {
        whole = std::ranges::binary_search(found.places[phrase[i]], begin + i);
      }
      times += whole ? 1 : 0;
    }
    tally += static_cast<char>(static_cast<unsigned char>(std::min<std::ptrdiff_t>(times, 255)));
  }
  return tally;
}

}  // namespace parley::search
