#include "search/text/highlight.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "base/text.h"
#include "search/query_parser.h"
#include "search/text/analysis.h"

namespace parley::search {

namespace {

struct Range {
  std::size_t begin;
  std::size_t end;
};

struct Wanted {
  std::unordered_set<std::string> terms;
  std::vector<std::string> prefixes;
};

Wanted wanted_terms(const Query& query) {
  Wanted wanted;
  for (const Clause& clause : query.clauses) {
    if (clause.excluded) continue;
    for (const Phrase& phrase : clause.any_of) {
      auto sequence =
          terms_to_find(phrase.text, phrase.exact || phrase.prefix ? Match::kExact : Match::kAlsoStem, kMaxPhrases);
      if (phrase.prefix && !sequence.empty() && may_go_on(sequence.back().front())) {
        wanted.prefixes.push_back(sequence.back().front());
        sequence.pop_back();
      }
      for (auto& any : sequence) wanted.terms.insert(any.begin(), any.end());
    }
  }
  return wanted;
}

class Collector final : public TokenSink {
 public:
  explicit Collector(const Wanted& wanted) : wanted_(wanted) {}
  bool on_token(std::string_view term, std::size_t begin, std::size_t end, bool) override {
    if (matches(std::string(term))) ranges.push_back({begin, end});
    return ranges.size() < 1000;
  }
  std::vector<Range> ranges;

 private:
  bool matches(const std::string& term) const {
    return wanted_.terms.contains(term) ||
           std::ranges::any_of(wanted_.prefixes, [&](const std::string& prefix) { return term.starts_with(prefix); });
  }
  const Wanted& wanted_;
};

std::vector<Range> matched_ranges(std::string_view text, const Query& query) {
  const Wanted wanted = wanted_terms(query);
  if (wanted.terms.empty() && wanted.prefixes.empty()) return {};
  Collector collector(wanted);
  analyze(text, collector);
  std::ranges::sort(collector.ranges, {}, &Range::begin);
  std::vector<Range> merged;
  for (const Range& range : collector.ranges) {
    if (!merged.empty() && range.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, range.end);
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

bool inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

Range snippet_range(std::string_view text, const std::vector<Range>& ranges, std::size_t most) {
  if (text.size() <= most) return {0, text.size()};
  std::size_t begin = 0;
  if (!ranges.empty() && ranges.front().end > most * 3 / 4) {
    begin = ranges.front().begin - std::min(ranges.front().begin, most / 4);
    const std::size_t space = text.find(' ', begin);
    if (space < ranges.front().begin) begin = space + 1;
  }
  while (inside_character(text, begin)) ++begin;
  std::size_t end = std::min(text.size(), begin + most);
  while (inside_character(text, end)) --end;
  return {begin, std::max(begin, end)};
}

}  // namespace

std::string highlight(std::string_view text, const Query& query, std::size_t most_bytes) {
  const std::vector<Range> ranges = matched_ranges(text, query);
  const Range part = snippet_range(text, ranges, most_bytes);
  std::string out;
  if (part.begin > 0) out += "…";
  std::size_t at = part.begin;
  for (const Range& range : ranges) {
    const std::size_t begin = std::max(range.begin, at), end = std::min(range.end, part.end);
    if (begin >= end) continue;
    append_html_escaped(out, text.substr(at, begin - at));
    out += "<em>";
    append_html_escaped(out, text.substr(begin, end - begin));
    out += "</em>";
    at = end;
  }
  append_html_escaped(out, text.substr(at, part.end - at));
  if (part.end < text.size()) out += "…";
  return out;
}

}  // namespace parley::search
