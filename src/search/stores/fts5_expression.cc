#include "search/stores/fts5_expression.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

#include "search/query_parser.h"
#include "search/stores/fts5_generations.h"
#include "search/stores/fts5_tokenizer.h"
#include "search/text/analysis.h"
#include "search/text/term_phrase.h"

namespace parley::search {

namespace {

std::string in_quotes(std::string_view term) {
  std::string out = "\"";
  for (const char c : term) {
    out += c;
    if (c == '"') out += c;
  }
  return out + '"';
}
std::string scope_term(char kind, std::int64_t id) {
  return in_quotes(std::string{kTermsMark, kind} + std::to_string(id));
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out = "(";
  for (const std::string& part : parts) {
    if (out.size() > 1) out += between;
    out += part;
  }
  return out + ")";
}

// What up to three characters begin may be much of what there is.
constexpr std::size_t kShortPrefix = 3;

std::string as_text(const TermPhrase& phrase) {
  std::string text;
  for (const std::string& term : phrase.terms) text += (text.empty() ? "" : " + ") + in_quotes(term);
  return phrase.goes_on ? text + " *" : text;
}

// The phrases of one clause; empty when none of them can be found.
std::vector<std::string> alternatives(const Clause& clause) {
  std::vector<std::string> any;
  for (const TermPhrase& phrase : phrases_of(clause)) any.push_back(as_text(phrase));
  return any;
}

// In one statement for all: a scope has up to 5,000 conversations.
std::vector<std::int64_t> conversation_numbers(sqlite::Connection& db, std::int64_t generation,
                                               const SearchScope& scope, const std::vector<std::string>& in,
                                               const std::vector<std::string>& not_in) {
  boost::json::array wanted;
  for (const ConversationId& conversation : scope.conversations) {
    if (!in.empty() && std::ranges::find(in, conversation.value) == in.end()) continue;
    if (std::ranges::find(not_in, conversation.value) != not_in.end()) continue;
    wanted.emplace_back(conversation.value);
  }
  sqlite::Query rows(db,
                     "SELECT c.id FROM json_each(?2) one CROSS JOIN conversations c "
                     "ON c.generation = ?1 AND c.public_id = one.value",
                     generation, boost::json::serialize(wanted));
  std::vector<std::int64_t> numbers;
  while (rows.step()) numbers.push_back(rows.integer(0));
  return numbers;
}

std::optional<std::string> person_term(sqlite::Connection& db, std::int64_t tenant, char kind,
                                       const std::string& user) {
  sqlite::Query row(db, "SELECT id FROM people WHERE tenant = ?1 AND public_id = ?2", tenant, user);
  if (!row.step()) return std::nullopt;
  return scope_term(kind, row.integer(0));
}

// Adds what the filters ask for; false when nothing can match them.
bool add_filters(sqlite::Connection& db, std::int64_t tenant, const UserId& caller, const Query& query,
                 std::vector<std::string>& all) {
  if (!query.from.empty()) {
    std::vector<std::string> senders;
    for (const std::string& user : query.from) {
      if (auto term = person_term(db, tenant, 'f', user)) senders.push_back(std::move(*term));
    }
    if (senders.empty()) return false;
    all.push_back(joined(senders, " OR "));
  }
  if (query.mentions_me) {
    auto term = person_term(db, tenant, 'm', caller.value);
    if (!term) return false;
    all.push_back(std::move(*term));
  }
  for (const auto& [wanted, term] :
       {std::pair{query.has_file, "hf"}, std::pair{query.has_link, "hl"}, std::pair{query.has_reaction, "hr"}}) {
    if (wanted) all.push_back(in_quotes(kTermsMark + std::string(term)));
  }
  return true;
}

// And what they ask away: whom nobody wrote with is in no document.
void add_exclusions(sqlite::Connection& db, std::int64_t tenant, const UserId& caller, const Exclusions& none,
                    std::vector<std::string>& any) {
  for (const std::string& user : none.from) {
    if (auto term = person_term(db, tenant, 'f', user)) any.push_back(std::move(*term));
  }
  if (none.mention_of_me) {
    if (auto term = person_term(db, tenant, 'm', caller.value)) any.push_back(std::move(*term));
  }
  for (const auto& [unwanted, term] :
       {std::pair{none.file, "hf"}, std::pair{none.link, "hl"}, std::pair{none.reaction, "hr"}}) {
    if (unwanted) any.push_back(in_quotes(kTermsMark + std::string(term)));
  }
}

std::string with_exclusions(std::string text, const std::vector<std::string>& none) {
  if (!none.empty()) text += " NOT " + joined(none, " OR ");
  return text;
}

std::vector<std::string> must_match(const Fts5Expression& expression, bool with_prefixes) {
  std::vector<std::string> all = expression.words;
  if (with_prefixes) {
    for (const std::string& prefix : expression.prefixes) all.push_back(in_quotes(prefix) + " *");
  }
  all.insert(all.end(), expression.filters.begin(), expression.filters.end());
  return all;
}

// The term of a clause that asks for the beginning of a word, and a short one, and nothing else.
std::optional<std::string> short_prefix(const Clause& clause) {
  if (clause.excluded || clause.any_of.size() != 1 || !clause.any_of[0].prefix) return std::nullopt;
  const TermSequence sequence = terms_to_find(clause.any_of[0].text, Match::kExact, kMaxPhrases);
  if (sequence.size() != 1) return std::nullopt;
  const std::string& term = sequence[0].front();
  return may_go_on(term) && count_characters(term) <= kShortPrefix ? std::optional(term) : std::nullopt;
}

}  // namespace

std::string conversation_term(std::int64_t conversation) {
  return scope_term('c', conversation);
}

std::string Fts5Expression::text(bool with_prefixes) const {
  const std::vector<std::string> all = must_match(*this, with_prefixes);
  return all.empty() ? std::string() : with_exclusions(joined(all, " AND "), none);
}

std::string Fts5Expression::text_in_scope() const {
  std::vector<std::string> scope;
  for (const std::int64_t conversation : conversations) scope.push_back(conversation_term(conversation));
  std::vector<std::string> all = must_match(*this, true);
  all.push_back(joined(scope, " OR "));
  return with_exclusions(joined(all, " AND "), none);
}

std::optional<Fts5Expression> make_expression(sqlite::Connection& db, const SearchScope& scope, const Query& query) {
  Fts5Expression expression;
  for (const Clause& clause : query.clauses) {
    if (auto prefix = short_prefix(clause)) {
      expression.prefixes.push_back(std::move(*prefix));
      continue;
    }
    const auto any = alternatives(clause);
    if (any.empty()) continue;
    if (clause.excluded) {
      expression.none.insert(expression.none.end(), any.begin(), any.end());
    } else {
      expression.words.push_back(joined(any, " OR "));
      expression.word_phrases += static_cast<int>(any.size());
    }
  }
  if (must_match(expression, true).empty() && expression.none.empty() && !query.has_filter()) return std::nullopt;
  const auto known = generations_of(db, scope.tenant);
  if (!known || !add_filters(db, known->tenant, scope.caller, query, expression.filters)) return std::nullopt;
  add_exclusions(db, known->tenant, scope.caller, query.none_of, expression.none);
  expression.conversations = conversation_numbers(db, known->serving, scope, query.in, query.none_of.in);
  return expression.conversations.empty() ? std::nullopt : std::optional(std::move(expression));
}

std::optional<Fts5Expression> make_expression_of_scope(sqlite::Connection& db, const SearchScope& scope) {
  Fts5Expression expression;
  const auto known = generations_of(db, scope.tenant);
  if (known) expression.conversations = conversation_numbers(db, known->serving, scope, {}, {});
  return expression.conversations.empty() ? std::nullopt : std::optional(std::move(expression));
}

}  // namespace parley::search
