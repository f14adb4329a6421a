#include "search/stores/fts5_apply.h"

#include <map>
#include <optional>
#include <unordered_map>

#include "search/message_text.h"
#include "search/stores/fts5_directory.h"
#include "search/stores/fts5_document.h"
#include "search/stores/fts5_entries.h"
#include "search/stores/fts5_expression.h"
#include "search/stores/fts5_generations.h"
#include "search/stores/fts5_lanes.h"
#include "search/stores/fts5_places.h"
#include "search/stores/fts5_scopes.h"
#include "search/stores/fts5_sweep.h"

namespace parley::search {

namespace {

using sqlite::Query;

// So that what an erased conversation held goes without anyone's asking.
constexpr std::size_t kSweptWithABatch = 200;

constexpr std::int64_t kFinal = INT64_MAX;  // the number of a tombstone that nothing outlives

// What a document's entry in `words` was and shall be. FTS5 wants rows in order: each step back costs it a segment.
struct Rewrite {
  std::optional<Document> before;
  std::optional<Document> after;
};

// One generation of one tenant, to which changes go.
struct Target {
  std::int64_t tenant = 0;
  std::int64_t generation = 0;
  bool building = false;
};

class Batch {
 public:
  explicit Batch(sqlite::Connection& db) : db_(db), places_(db) {}

  ApplyOutcome run(const ChangeBatch& batch) {
    for (const IndexChange& change : batch.changes) {
      const TenantGenerations& known = tenant_of(change.tenant);
      const bool fresh = take_for({known.tenant, known.serving, false}, change);
      if (known.building) take_for({known.tenant, *known.building, true}, change);
      ++(fresh ? outcome_.applied : outcome_.stale);
    }
    for (const DeadLetter& letter : batch.dead_letters) bury(letter);
    write_words();
    places_.finish();
    advance_lanes(db_, batch);
    return outcome_;
  }
  void run(const Target& target, const std::vector<IndexChange>& changes) {
    for (const IndexChange& change : changes) take_for(target, change);
    write_words();
    places_.finish();
  }

 private:
  struct Conversation {
    std::int64_t id = 0;
    std::int64_t erased_number = -1;
  };

  const TenantGenerations& tenant_of(const TenantId& tenant) {
    const auto [at, first] = tenants_.try_emplace(tenant.value);
    if (first) at->second = ensure_tenant(db_, tenant);
    return at->second;
  }
  Conversation& conversation_of(const Target& target, const ConversationId& id) {
    const auto [at, first] = conversations_.try_emplace({target.generation, id.value});
    if (!first) return at->second;
    Query known(db_, "SELECT id, erased_number FROM conversations WHERE generation = ?1 AND public_id = ?2",
                target.generation, id.value);
    if (known.step()) {
      at->second = {known.integer(0), known.integer(1)};
    } else {
      at->second = {new_conversation(target.generation, id, -1), -1};
    }
    return at->second;
  }
  std::int64_t new_conversation(std::int64_t generation, const ConversationId& id, std::int64_t erased_number) {
    Query(db_, "INSERT INTO conversations(generation, public_id, erased_number) VALUES(?1, ?2, ?3)", generation,
          id.value, erased_number)
        .run();
    return db_.last_insert_rowid();
  }
  std::int64_t person(const Target& target, const UserId& user) {
    const auto [at, first] = people_.try_emplace({target.tenant, user.value});
    if (!first) return at->second;
    {
      Query known(db_, "SELECT id FROM people WHERE tenant = ?1 AND public_id = ?2", target.tenant, user.value);
      if (known.step()) return at->second = known.integer(0);
    }
    Query(db_, "INSERT INTO people(tenant, public_id) VALUES(?1, ?2)", target.tenant, user.value).run();
    return at->second = db_.last_insert_rowid();
  }

  bool take_for(const Target& target, const IndexChange& change) {
    return std::visit([&](const auto& what) { return take(target, change, what); }, change.what);
  }

  bool take(const Target& target, const IndexChange& change, const MessageWritten& message) {
    const Conversation& conversation = conversation_of(target, change.conversation);
    const std::string key = message_key(message.id);
    if (change.number <= conversation.erased_number || is_buried(conversation.id, key, change.number)) return false;
    const auto present = find_document(db_, conversation.id, key);
    if (target.building && change.number > 0 && message.has_reaction) {
      tell_reactions(conversation.id, key, change.number, *message.has_reaction);
    }
    const auto told = target.building ? told_reactions(conversation.id, key) : std::nullopt;
    if (present && present->number >= change.number) {
      // The store knows of reactions what an edit's event did not tell.
      const bool news = target.building && change.number == 0 && !told && message.has_reaction;
      return news && set_reaction(*present, key, present->number, *message.has_reaction);
    }
    const std::int64_t at_ms = message.created_at.time_since_epoch().count();
    Document next{.id = present ? present->id : places_.free_id(at_ms),
                  .conversation = conversation.id,
                  .number = change.number,
                  .seq = message.seq,
                  .created_ms = at_ms,
                  .sender = person(target, message.sender),
                  .body = message_text(message.content, message.file_names)};
    for (const UserId& user : message.mentions) next.mentions += std::to_string(person(target, user)) + ' ';
    if (!message.file_names.empty()) next.names_at = static_cast<std::int64_t>(message.content.size());
    const bool had_reaction = present && (present->flags & kHasReaction);
    if (message.has_file || !message.file_names.empty()) next.flags |= kHasFile;
    if (has_link(message.content)) next.flags |= kHasLink;
    if (told.value_or(message.has_reaction.value_or(had_reaction))) next.flags |= kHasReaction;
    write_document(db_, next, key);
    Query(db_, "DELETE FROM tombstones WHERE conversation = ?1 AND message = ?2", conversation.id, as_blob(key)).run();
    note(present, std::move(next));
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const MessageRemoved& message) {
    const Conversation& conversation = conversation_of(target, change.conversation);
    const std::string key = message_key(message.id);
    if (change.number <= conversation.erased_number || is_buried(conversation.id, key, change.number)) return false;
    const auto present = find_document(db_, conversation.id, key);
    // What an event wrote, the event of its removal removes; what the store says is removed stays so.
    if (present && present->number >= change.number && present->number > 0) return false;
    Query(db_,
          "INSERT INTO tombstones(conversation, message, number) VALUES(?1, ?2, ?3) "
          "ON CONFLICT DO UPDATE SET number = ?3",
          conversation.id, as_blob(key), change.number == 0 ? kFinal : change.number)
        .run();
    if (present) drop(*present);
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const ReactionsChanged& reactions) {
    const Conversation& conversation = conversation_of(target, change.conversation);
    const std::string key = message_key(reactions.id);
    if (change.number <= conversation.erased_number || is_buried(conversation.id, key, change.number)) return false;
    if (target.building) tell_reactions(conversation.id, key, change.number, reactions.any);
    const auto present = find_document(db_, conversation.id, key);
    if (!present || present->number >= change.number) return false;
    set_reaction(*present, key, change.number, reactions.any);
    return true;
  }

  // The old number is left to sweep() with all that it has; what is newer than the erasure moves to a new one.
  bool take(const Target& target, const IndexChange& change, const ConversationErased&) {
    Conversation& conversation = conversation_of(target, change.conversation);
    if (change.number <= conversation.erased_number) return false;
    write_words();
    const std::int64_t old = conversation.id;
    Query(db_, "UPDATE conversations SET generation = ?2 WHERE id = ?1", old, new_dropped_generation(db_)).run();
    conversation = {new_conversation(target.generation, change.conversation, change.number), change.number};
    move_newer(old, conversation);
    renew_conversation_entry(db_, old, conversation.id, change.number);
    return true;
  }

  bool take(const Target& target, const IndexChange& change, const ConversationWritten& entry) {
    const Conversation& conversation = conversation_of(target, change.conversation);
    if (change.number <= conversation.erased_number) return false;
    return write_conversation_entry(db_, conversation.id, change.number, entry);
  }
  bool take(const Target& target, const IndexChange& change, const UserWritten& entry) {
    return write_user_entry(db_, target.generation, change.number, entry);
  }

  void move_newer(std::int64_t old, const Conversation& conversation) {
    std::vector<std::pair<std::int64_t, std::string>> newer;
    {
      Query rows(db_,
                 "SELECT d.id, d.message FROM words w CROSS JOIN documents d ON d.id = w.rowid WHERE w.words MATCH ?1 "
                 "AND d.seq + d.number_ahead > ?2",
                 conversation_term(old), conversation.erased_number);
      while (rows.step()) newer.emplace_back(rows.integer(0), rows.text(1));
    }
    for (const auto& [id, key] : newer) {
      const auto present = read_document(db_, id);
      Document next = *present;
      next.conversation = conversation.id;
      write_document(db_, next, key);
      note(present, std::move(next));
    }
    for (const char* sql : {"UPDATE tombstones SET conversation = ?2 WHERE conversation = ?1 AND number > ?3",
                            "UPDATE rebuild_reactions SET conversation = ?2 WHERE conversation = ?1 AND number > ?3"}) {
      Query(db_, sql, old, conversation.id, conversation.erased_number).run();
    }
  }

  bool is_buried(std::int64_t conversation, const std::string& key, std::int64_t number) {
    Query row(db_, "SELECT 1 FROM tombstones WHERE conversation = ?1 AND message = ?2 AND number >= ?3", conversation,
              as_blob(key), number);
    return row.step();
  }
  std::optional<bool> told_reactions(std::int64_t conversation, const std::string& key) {
    Query row(db_, "SELECT any_left FROM rebuild_reactions WHERE conversation = ?1 AND message = ?2", conversation,
              as_blob(key));
    return row.step() ? std::optional(row.integer(0) != 0) : std::nullopt;
  }
  void tell_reactions(std::int64_t conversation, const std::string& key, std::int64_t number, bool any) {
    Query(db_,
          "INSERT INTO rebuild_reactions(conversation, message, number, any_left) VALUES(?1, ?2, ?3, ?4) "
          "ON CONFLICT DO UPDATE SET number = ?3, any_left = ?4 WHERE number < ?3",
          conversation, as_blob(key), number, any)
        .run();
  }
  bool set_reaction(const Document& present, const std::string& key, std::int64_t number, bool any) {
    Document next = present;
    next.number = number;
    next.flags = any ? next.flags | kHasReaction : next.flags & ~kHasReaction;
    if (next.number == present.number && next.flags == present.flags) return false;
    write_document(db_, next, key);
    note(present, std::move(next));
    return true;
  }
  void bury(const DeadLetter& letter) {
    Query(db_,
          "INSERT INTO dead_letters(offset, event, type, tenant, key, reason) VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
          "ON CONFLICT DO NOTHING",
          letter.offset.value, letter.event.value, letter.type, letter.tenant.value, letter.key, letter.reason)
        .run();
  }

  void drop(const Document& present) {
    Query(db_, "DELETE FROM documents WHERE id = ?1", present.id).run();
    note(present, std::nullopt);
  }
  void note(const std::optional<Document>& before, std::optional<Document> after) {
    auto [at, first] = rewrites_.try_emplace(before ? before->id : after->id);
    if (first) at->second.before = before;
    at->second.after = std::move(after);
  }
  void write_words() {
    ScopeWriter scopes(db_);
    EntryWriter entries(db_);
    for (const auto& [id, rewrite] : rewrites_) {
      rewrite.after ? scopes.put(id, rewrite.after->conversation) : scopes.remove(id);
      const std::string before = rewrite.before ? rewrite.before->entry() : std::string();
      const std::string after = rewrite.after ? rewrite.after->entry() : std::string();
      if (before == after) continue;
      if (!before.empty()) entries.remove(id, before);
      if (!after.empty()) entries.put(id, after);
    }
    scopes.write();
    rewrites_.clear();
  }

  sqlite::Connection& db_;
  Places places_;
  ApplyOutcome outcome_;
  std::map<std::int64_t, Rewrite> rewrites_;  // by document
  std::unordered_map<std::string, TenantGenerations> tenants_;
  std::map<std::pair<std::int64_t, std::string>, Conversation> conversations_;  // by generation and id
  std::map<std::pair<std::int64_t, std::string>, std::int64_t> people_;         // by tenant and id
};

}  // namespace

Result<ApplyOutcome> apply_batch(sqlite::Connection& db, const ChangeBatch& batch) {
  const ApplyOutcome outcome = Batch(db).run(batch);
  sweep_dropped(db, kSweptWithABatch);
  return outcome;
}

Result<RebuildState> apply_rebuild_step(sqlite::Connection& db, const TenantId& tenant, const std::string& id,
                                        const RebuildStep& step) {
  auto state = advance_rebuild(db, tenant, id, step);
  if (!state) return state;
  const TenantGenerations known = *generations_of(db, tenant);
  Batch(db).run({known.tenant, *known.building, true}, step.changes);
  return state;
}

}  // namespace parley::search
