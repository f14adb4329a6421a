#include "search/stores/fts5_directory.h"

#include <algorithm>
#include <map>
#include <set>

#include "search/index_requests.h"
#include "search/stores/fts5_generations.h"
#include "search/stores/fts5_search.h"
#include "search/text/name_match.h"

namespace parley::search {

namespace {

using Row = sqlite::Query;

// What stands in user_names: whole spellings come before words.
enum NameKind : int { kSpelling = 0, kTerm = 1 };

using Place = DirectoryPlace;

struct Found {
  Place place;
  std::string name;
  std::string topic;
  NameFit fit = NameFit::kExact;
};

std::vector<std::string_view> distinct_ids(const SearchScope& scope) {
  std::vector<std::string_view> ids(scope.conversations.size());
  std::ranges::transform(scope.conversations, ids.begin(), &ConversationId::value);
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return ids;
}

// Calls take(id, row) for the entry of each conversation of the scope; the row is name, topic, archived, spellings,
// terms, topic_terms.
template <class Take>
void for_each_in_scope(sqlite::Connection& db, const SearchScope& scope, Take take) {
  const auto generation = serving_generation(db, scope.tenant);
  if (!generation) return;
  for (const std::string_view id : distinct_ids(scope)) {
    Row row(db,
            "SELECT e.name, e.topic, e.archived, e.spellings, e.terms, e.topic_terms FROM conversations c "
            "JOIN conversation_entries e ON e.conversation = c.id WHERE c.generation = ?1 AND c.public_id = ?2",
            *generation, id);
    if (row.step()) take(id, row);
  }
}

// Those of the scope that fit, in order. Archived ones come after the others that fit as well.
std::vector<Found> fitting_conversations(sqlite::Connection& db, const SearchScope& scope, const NameQuery& query) {
  std::vector<Found> found;
  if (query.empty()) return found;
  for_each_in_scope(db, scope, [&](std::string_view id, const Row& row) {
    const auto fits = fit(query, {.spellings = row.text(3), .terms = row.text(4), .topic_terms = row.text(5)});
    if (!fits) return;
    const int rank = 2 * static_cast<int>(fits->fit) + (row.integer(2) != 0 ? 1 : 0);
    found.push_back({{rank, spelling_of(row.text(0)), std::string(id)},
                     std::string(row.text(0)),
                     std::string(row.text(1)),
                     fits->fit});
  });
  std::ranges::sort(found, {}, &Found::place);
  return found;
}

// The people of a generation that fit, in the order of user_names: by the first spelling that begins as typed, then by
// the first word that the longest typed one begins.
class PeopleScan {
 public:
  PeopleScan(sqlite::Connection& db, std::int64_t generation, const NameQuery& query)
      : db_(db), generation_(generation), query_(query) {}

  // At most `most` of those after `after`; fewer also when kMaxDirectoryRows have been read: then stopped_at is set.
  std::vector<Found> next(const std::optional<Place>& after, std::size_t most) {
    std::vector<Found> found;
    std::size_t rows_left = kMaxDirectoryRows;
    stopped_at.reset();
    for (const int kind : {kSpelling, kTerm}) {
      const std::string& prefix = kind == kSpelling ? query_.whole : query_.driver;
      if (prefix.empty() || (after && after->rank > kind)) continue;
      const bool goes_on = after && after->rank == kind;
      read(kind, prefix, goes_on ? after->text : prefix, goes_on ? after->id : std::string(), most, rows_left, found);
      if (found.size() >= most || stopped_at) break;
    }
    return found;
  }
  std::optional<Place> stopped_at;

 private:
  void read(int kind, const std::string& prefix, const std::string& text, const std::string& id, std::size_t most,
            std::size_t& rows_left, std::vector<Found>& found) {
    Row rows(db_,
             "SELECT n.text, n.user, e.name, e.spellings, e.terms FROM user_names n CROSS JOIN user_entries e "
             "ON e.generation = n.generation AND e.user = n.user WHERE n.generation = ?1 AND n.kind = ?2 "
             "AND (n.text, n.user) > (?3, ?4) AND n.text < ?5 ORDER BY n.text, n.user",
             generation_, kind, text, id, prefix + "\U0010FFFF");
    while (found.size() < most && rows.step()) {
      Place place{kind, std::string(rows.text(0)), std::string(rows.text(1))};
      const auto fits = fit(query_, {.spellings = rows.text(3), .terms = rows.text(4), .topic_terms = {}});
      const bool by_term = fits && fits->fit == NameFit::kWords;
      // Each person stands in the order once, at the best place of all that it has.
      if (fits && by_term == (kind == kTerm) && fits->by == place.text) {
        found.push_back({place, std::string(rows.text(2)), {}, fits->fit});
      }
      if (--rows_left == 0) {
        stopped_at = std::move(place);
        return;
      }
    }
  }

  sqlite::Connection& db_;
  const std::int64_t generation_;
  const NameQuery& query_;
};

void erase_names(sqlite::Connection& db, std::int64_t generation, std::string_view user, std::string_view lines,
                 int kind) {
  for (const std::string_view text : split_lines(lines)) {
    Row(db, "DELETE FROM user_names WHERE generation = ?1 AND kind = ?2 AND text = ?3 AND user = ?4", generation, kind,
        text, user)
        .run();
  }
}

}  // namespace

bool write_conversation_entry(sqlite::Connection& db, std::int64_t conversation, std::int64_t number,
                              const ConversationWritten& entry) {
  const std::string name = entry.name.value_or(""), topic = entry.topic.value_or("");
  const Lines spellings = spelling_lines({name}), terms = term_lines({name}), topic_terms = term_lines({topic});
  // Number 0 is what the store said; a later reading of it may take its place.
  return Row(db,
             "INSERT INTO conversation_entries(conversation, number, name, topic, archived, spellings, terms, "
             "topic_terms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET number = ?2, name = ?3, "
             "topic = ?4, archived = ?5, spellings = ?6, terms = ?7, topic_terms = ?8 "
             "WHERE number < ?2 OR (number = 0 AND ?2 = 0)",
             conversation, number, name, topic, entry.archived, spellings, terms, topic_terms)
             .run() > 0;
}

void renew_conversation_entry(sqlite::Connection& db, std::int64_t conversation, std::int64_t renewed,
                              std::int64_t number) {
  Row(db, "UPDATE conversation_entries SET conversation = ?2 WHERE conversation = ?1 AND number > ?3", conversation,
      renewed, number)
      .run();
  erase_conversation_entry(db, conversation);
}

void erase_conversation_entry(sqlite::Connection& db, std::int64_t conversation) {
  Row(db, "DELETE FROM conversation_entries WHERE conversation = ?1", conversation).run();
}

bool write_user_entry(sqlite::Connection& db, std::int64_t generation, std::int64_t number, const UserWritten& entry) {
  std::string old_spellings, old_terms;
  {
    Row row(db, "SELECT number, spellings, terms FROM user_entries WHERE generation = ?1 AND user = ?2", generation,
            entry.user.value);
    if (row.step()) {
      if (row.integer(0) > number || (row.integer(0) == number && number > 0)) return false;
      old_spellings = row.text(1);
      old_terms = row.text(2);
    }
  }
  const std::string_view name = entry.name, id = entry.user.value;
  const Lines spellings = spelling_lines({name, id}), terms = term_lines({name, id});
  if (spellings != old_spellings) erase_names(db, generation, id, old_spellings, kSpelling);
  if (terms != old_terms) erase_names(db, generation, id, old_terms, kTerm);
  Row(db,
      "INSERT INTO user_entries(generation, user, number, name, spellings, terms) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
      "ON CONFLICT DO UPDATE SET number = ?3, name = ?4, spellings = ?5, terms = ?6",
      generation, id, number, name, spellings, terms)
      .run();
  const auto add = [&](const Lines& lines, int kind) {
    for (const std::string_view text : split_lines(lines)) {
      Row(db, "INSERT INTO user_names(generation, kind, text, user) VALUES(?1, ?2, ?3, ?4)", generation, kind, text, id)
          .run();
    }
  };
  if (spellings != old_spellings) add(spellings, kSpelling);
  if (terms != old_terms) add(terms, kTerm);
  return true;
}

std::int64_t sweep_user_entries(sqlite::Connection& db, std::int64_t generation, std::size_t most) {
  struct Gone {
    std::string user, spellings, terms;
  };
  std::vector<Gone> gone;
  {
    Row rows(db, "SELECT user, spellings, terms FROM user_entries WHERE generation = ?1 LIMIT ?2", generation, most);
    while (rows.step()) {
      gone.push_back({std::string(rows.text(0)), std::string(rows.text(1)), std::string(rows.text(2))});
    }
  }
  for (const Gone& each : gone) {
    erase_names(db, generation, each.user, each.spellings, kSpelling);
    erase_names(db, generation, each.user, each.terms, kTerm);
    Row(db, "DELETE FROM user_entries WHERE generation = ?1 AND user = ?2", generation, each.user).run();
  }
  return static_cast<std::int64_t>(gone.size());
}

Result<DirectoryPage> conversations_page(sqlite::Connection& db, const DirectoryRequest& request) {
  const auto after = check_directory_request(request, 'c');
  if (!after) return fail(after.error());
  const NameQuery typed = make_name_query(request.text);
  const Query query = typed.as_query();
  const std::vector<Found> all = fitting_conversations(db, request.scope, typed);
  auto at = *after ? std::ranges::upper_bound(all, **after, {}, &Found::place) : all.begin();
  DirectoryPage page;
  page.total = static_cast<std::int64_t>(all.size());
  for (; at != all.end() && page.items.size() < request.limit; ++at) {
    page.items.push_back({at->place.id, marked(query, {at->name, at->topic})});
  }
  if (at != all.end()) page.next = std::prev(at)->place.cursor('c');
  page.indexed_through = read_progress(db);
  return page;
}

Result<DirectoryPage> users_page(sqlite::Connection& db, const DirectoryRequest& request) {
  const auto after = check_directory_request(request, 'u');
  if (!after) return fail(after.error());
  DirectoryPage page;
  page.indexed_through = read_progress(db);
  const NameQuery typed = make_name_query(request.text);
  const auto generation = serving_generation(db, request.scope.tenant);
  if (typed.empty() || !generation) return page;

  PeopleScan scan(db, *generation, typed);
  const auto counted = scan.next({}, static_cast<std::size_t>(kRankedWindow) + 1).size();
  page.total_is_bound = counted > static_cast<std::size_t>(kRankedWindow) || scan.stopped_at;
  page.total = std::min(static_cast<std::int64_t>(counted), kRankedWindow);

  const Query query = typed.as_query();
  std::vector<Found> found = scan.next(*after, request.limit + 1);
  if (found.size() > request.limit) {
    found.pop_back();
    page.next = found.back().place.cursor('u');
  } else if (scan.stopped_at) {
    page.next = scan.stopped_at->cursor('u');
  }
  for (const Found& each : found) page.items.push_back({each.place.id, marked(query, {each.name, each.place.id})});
  return page;
}

std::vector<Suggestion> suggest_conversations(sqlite::Connection& db, const SearchScope& scope,
                                              const std::string& typed, std::size_t most) {
  std::vector<Suggestion> suggestions;
  for (Found& each : fitting_conversations(db, scope, make_name_query(typed))) {
    if (suggestions.size() == most || each.fit == NameFit::kTopic) break;
    suggestions.push_back({std::move(each.name), SuggestionKind::kConversation, std::move(each.place.id)});
  }
  return suggestions;
}

std::vector<Suggestion> suggest_users(sqlite::Connection& db, const TenantId& tenant, const std::string& typed,
                                      std::size_t most) {
  std::vector<Suggestion> suggestions;
  const NameQuery query = make_name_query(typed);
  const auto generation = serving_generation(db, tenant);
  if (query.empty() || !generation) return suggestions;
  for (Found& each : PeopleScan(db, *generation, query).next({}, most)) {
    suggestions.push_back({each.name.empty() ? each.place.id : each.name, SuggestionKind::kUser, each.place.id});
  }
  return suggestions;
}

namespace {

void add_once(std::vector<std::string>& ids, std::string_view id) {
  if (std::ranges::find(ids, id) == ids.end()) ids.emplace_back(id);
}

// A name that is an id stands for itself; so does one that nobody has, which then finds nothing.
void add_users(sqlite::Connection& db, std::int64_t generation, const std::string& name,
               std::vector<std::string>& ids) {
  add_once(ids, name);
  Row rows(db, "SELECT user FROM user_names WHERE generation = ?1 AND kind = ?2 AND text = ?3 ORDER BY user LIMIT ?4",
           generation, static_cast<int>(kSpelling), spelling_of(name), kMaxNamedIds);
  while (rows.step()) add_once(ids, rows.text(0));
}

}  // namespace

Result<NamedIds> named_ids(sqlite::Connection& db, const NamesRequest& request) {
  if (auto valid = check_names(request); !valid) return fail(valid.error());
  NamedIds ids;
  const auto generation = serving_generation(db, request.scope.tenant);
  for (const std::string& name : request.users) {
    if (generation) add_users(db, *generation, name, ids.users);
    add_once(ids.users, name);
  }
  std::set<std::string, std::less<>> spellings;
  for (const std::string& name : request.conversations) {
    add_once(ids.conversations, name);
    spellings.insert(spelling_of(name));
  }
  if (spellings.empty()) return ids;
  std::size_t left = kMaxNamedIds;
  for_each_in_scope(db, request.scope, [&](std::string_view id, const Row& row) {
    const std::string_view line = row.text(3);
    if (left == 0 || line.size() < 2 || !spellings.contains(line.substr(1, line.size() - 2))) return;
    add_once(ids.conversations, id);
    --left;
  });
  return ids;
}

}  // namespace parley::search
