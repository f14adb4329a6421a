#include "search/stores/fts5_expression.h"

#include <algorithm>
#include <vector>

#include "search/query_parser.h"
#include "search/stores/fts5_tokenizer.h"
#include "search/text/analysis.h"

namespace parley::search {

namespace {

std::string quoted(char mark, std::string_view term) {
  std::string out = "\"";
  out += mark;
  for (const char c : term) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out = "(";
  for (const std::string& part : parts) {
    if (out.size() > 1) out += between;
    out += part;
  }
  return out + ")";
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Words {
 public:
  // The phrases of one clause; empty when none of them can be found.
  std::vector<std::string> alternatives(const Clause& clause) {
    std::vector<std::string> any;
    for (const Phrase& phrase : clause.any_of) add(phrase, any);
    count += static_cast<int>(any.size());
    return any;
  }
  int count = 0;

 private:
  static void add(const Phrase& phrase, std::vector<std::string>& any) {
    const Match match = phrase.exact || phrase.prefix ? Match::kExact : Match::kAlsoStem;
    const TermSequence sequence = terms_to_find(phrase.text, match, kMaxPhrases);
    if (sequence.empty()) return;
    if (sequence.size() == 1 && !phrase.prefix) {
      for (const std::string& term : sequence.front()) any.push_back(quoted(kVerbatimMark, term));
      return;
    }
    std::string text;
    for (const auto& place : sequence) text += (text.empty() ? "" : " + ") + quoted(kVerbatimMark, place.front());
    // The index keeps prefixes from two characters on; one would match half of all there is.
    if (phrase.prefix && characters(sequence.back().front()) >= 2) text += " *";
    any.push_back(std::move(text));
  }
};

std::vector<std::string> conversation_terms(sqlite::Connection& db, const SearchScope& scope, const Query& query) {
  std::vector<std::string> terms;
  for (const ConversationId& conversation : scope.conversations) {
    if (!query.in.empty() && std::ranges::find(query.in, conversation.value) == query.in.end()) continue;
    sqlite::Query row(db, "SELECT id FROM conversations WHERE tenant = ?1 AND public_id = ?2", scope.tenant.value,
                      conversation.value);
    if (row.step()) terms.push_back(quoted(kTermsMark, "c" + std::to_string(row.integer(0))));
  }
  return terms;
}

std::optional<std::string> person_term(sqlite::Connection& db, const TenantId& tenant, char kind,
                                       const std::string& user) {
  sqlite::Query row(db, "SELECT id FROM people WHERE tenant = ?1 AND public_id = ?2", tenant.value, user);
  if (!row.step()) return std::nullopt;
  return quoted(kTermsMark, kind + std::to_string(row.integer(0)));
}

// Adds what the filters ask for; false when nothing can match them.
bool add_filters(sqlite::Connection& db, const SearchScope& scope, const Query& query, std::vector<std::string>& all) {
  const auto conversations = conversation_terms(db, scope, query);
  if (conversations.empty()) return false;
  all.push_back(joined(conversations, " OR "));
  if (!query.from.empty()) {
    std::vector<std::string> senders;
    for (const std::string& user : query.from) {
      if (auto term = person_term(db, scope.tenant, 'f', user)) senders.push_back(std::move(*term));
    }
    if (senders.empty()) return false;
    all.push_back(joined(senders, " OR "));
  }
  if (query.mentions_me) {
    auto term = person_term(db, scope.tenant, 'm', scope.caller.value);
    if (!term) return false;
    all.push_back(std::move(*term));
  }
  if (query.has_file) all.push_back(quoted(kTermsMark, "hf"));
  if (query.has_link) all.push_back(quoted(kTermsMark, "hl"));
  if (query.has_reaction) all.push_back(quoted(kTermsMark, "hr"));
  return true;
}

}  // namespace

std::optional<Fts5Expression> make_expression(sqlite::Connection& db, const SearchScope& scope, const Query& query) {
  std::vector<std::string> all, none;
  Words words, excluded;
  for (const Clause& clause : query.clauses) {
    const auto any = (clause.excluded ? excluded : words).alternatives(clause);
    if (any.empty()) continue;
    if (clause.excluded) {
      none.insert(none.end(), any.begin(), any.end());
    } else {
      all.push_back(joined(any, " OR "));
    }
  }
  if (all.empty() && none.empty() && !query.has_filter()) return std::nullopt;
  if (!add_filters(db, scope, query, all)) return std::nullopt;
  Fts5Expression expression{joined(all, " AND "), words.count};
  if (!none.empty()) expression.text += " NOT " + joined(none, " OR ");
  return expression;
}

}  // namespace parley::search
