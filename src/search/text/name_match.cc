#include "search/text/name_match.h"

#include <algorithm>
#include <set>

#include "search/query_parser.h"
#include "search/text/analysis.h"
#include "search/text/fold.h"

namespace parley::search {

namespace {

bool is_space(char c) {
  return static_cast<unsigned char>(c) <= ' ';
}

class DistinctTerms final : public TokenSink {
 public:
  bool on_token(std::string_view term, std::size_t, std::size_t, bool) override {
    terms.emplace(term);
    return terms.size() < kMaxNameTerms;
  }
  std::set<std::string> terms;
};

Lines joined(const std::set<std::string>& texts) {
  Lines lines;
  for (const std::string& text : texts) lines += '\n' + text;
  return lines.empty() ? lines : lines + '\n';
}

// The first line that begins with `prefix`; empty when none does.
std::string_view first_with_prefix(std::string_view lines, const std::string& prefix) {
  const std::size_t at = lines.find('\n' + prefix);
  if (at == lines.npos || at + 1 == lines.size()) return {};
  return lines.substr(at + 1, lines.find('\n', at + 1) - at - 1);
}

}  // namespace

std::string spelling_of(std::string_view name) {
  while (!name.empty() && is_space(name.front())) name.remove_prefix(1);
  if (name.size() > 1 && (name.front() == '#' || name.front() == '@')) name.remove_prefix(1);
  std::string spelling;
  for (const char c : fold(name.substr(0, 4 * kMaxSpellingBytes))) {
    if (!is_space(c)) {
      spelling += c;
    } else if (!spelling.empty() && spelling.back() != ' ') {
      spelling += ' ';
    }
  }
  if (spelling.ends_with(' ')) spelling.pop_back();
  if (spelling.size() > kMaxSpellingBytes) {
    std::size_t end = kMaxSpellingBytes;
    while (end > 0 && (static_cast<unsigned char>(spelling[end]) & 0xC0) == 0x80) --end;
    spelling.resize(end);
  }
  return spelling;
}

Lines spelling_lines(std::initializer_list<std::string_view> names) {
  std::set<std::string> spellings;
  for (const std::string_view name : names) spellings.insert(spelling_of(name));
  spellings.erase("");
  return joined(spellings);
}

Lines term_lines(std::initializer_list<std::string_view> texts) {
  DistinctTerms found;
  for (const std::string_view text : texts) analyze(text, found);
  return joined(found.terms);
}

std::vector<std::string_view> split_lines(std::string_view lines) {
  std::vector<std::string_view> texts;
  for (std::size_t at = 1; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    texts.push_back(lines.substr(at, end - at));
    at = end + 1;
  }
  return texts;
}

Query NameQuery::as_query() const {
  Query query;
  for (const std::string& word : words) {
    query.clauses.push_back({.any_of = {{.text = word, .exact = true, .prefix = true}}});
  }
  return query;
}

NameQuery make_name_query(std::string_view typed) {
  NameQuery query{.whole = spelling_of(typed), .words = {}, .driver = {}};
  for (auto& place : terms_to_find(typed, Match::kExact, kMaxPhrases)) {
    std::string& word = place.front();
    if (word.size() > query.driver.size()) query.driver = word;
    if (std::ranges::find(query.words, word) == query.words.end()) query.words.push_back(std::move(word));
  }
  return query;
}

std::optional<FittingName> fit(const NameQuery& query, const NameTerms& name) {
  if (query.empty()) return std::nullopt;
  if (const std::string_view spelling = first_with_prefix(name.spellings, query.whole); !spelling.empty()) {
    return FittingName{spelling == query.whole ? NameFit::kExact : NameFit::kBegins, spelling};
  }
  if (query.words.empty()) return std::nullopt;
  bool in_name = true;
  for (const std::string& word : query.words) {
    if (!first_with_prefix(name.terms, word).empty()) continue;
    if (first_with_prefix(name.topic_terms, word).empty()) return std::nullopt;
    in_name = false;
  }
  std::string_view by = first_with_prefix(name.terms, query.driver);
  if (by.empty()) by = first_with_prefix(name.topic_terms, query.driver);
  return FittingName{in_name ? NameFit::kWords : NameFit::kTopic, by};
}

}  // namespace parley::search
