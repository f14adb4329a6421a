#include "search/stores/fts5_apply.h"

#include <map>
#include <optional>

#include "search/stores/fts5_tokenizer.h"

namespace parley::search {

namespace {

using sqlite::Query;

struct Document {
  std::int64_t id;
  std::int64_t number;
  std::string scope;
  std::string body;
};

sqlite::Blob as_blob(const std::string& bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

bool has_link(std::string_view text) {
  return text.find("http://") != text.npos || text.find("https://") != text.npos;
}

// What a document's entry in `words` was and shall be. FTS5 wants rows in order: each step back costs it a segment.
struct Rewrite {
  std::optional<Document> before;
  std::optional<Document> after;
};

class Batch {
 public:
  explicit Batch(sqlite::Connection& db) : db_(db) {}

  ApplyOutcome run(const ChangeBatch& batch) {
    for (const IndexChange& change : batch.changes) {
      const Conversation conversation = conversation_of(change);
      const bool fresh = change.number > conversation.erased_number &&
                         std::visit([&](const auto& what) { return take(change, conversation, what); }, change.what);
      ++(fresh ? outcome_.applied : outcome_.stale);
    }
    write_words();
    Query(db_, "UPDATE progress SET through = max(through, ?1)", batch.through.value).run();
    return outcome_;
  }

 private:
  struct Conversation {
    std::int64_t id;
    std::int64_t erased_number;
  };
  Conversation conversation_of(const IndexChange& change) {
    {
      Query known(db_, "SELECT id, erased_number FROM conversations WHERE tenant = ?1 AND public_id = ?2",
                  change.tenant.value, change.conversation.value);
      if (known.step()) return {known.integer(0), known.integer(1)};
    }
    Query(db_, "INSERT INTO conversations(tenant, public_id) VALUES(?1, ?2)", change.tenant.value,
          change.conversation.value)
        .run();
    return {db_.last_insert_rowid(), 0};
  }
  std::int64_t person(const TenantId& tenant, const UserId& user) {
    {
      Query known(db_, "SELECT id FROM people WHERE tenant = ?1 AND public_id = ?2", tenant.value, user.value);
      if (known.step()) return known.integer(0);
    }
    Query(db_, "INSERT INTO people(tenant, public_id) VALUES(?1, ?2)", tenant.value, user.value).run();
    return db_.last_insert_rowid();
  }

  bool take(const IndexChange& change, const Conversation& conversation, const MessageWritten& message) {
    const std::string key = message_key(message.id);
    if (is_buried(conversation, key, change.number)) return false;
    const auto present = document(conversation, key);
    if (present && present->number >= change.number) return false;
    const std::int64_t at = message.created_at.time_since_epoch().count();
    Document next{present ? present->id : free_id(at), change.number, scope_terms(change, conversation, message),
                  message.content};
    for (const std::string& name : message.file_names) next.body += '\n' + name;
    // The marks are the tokenizer's; a message that begins with one is a message.
    if (!next.body.empty() && (next.body[0] == kTermsMark || next.body[0] == kVerbatimMark)) next.body[0] = ' ';
    Query(db_,
          "INSERT INTO documents(id, conversation, message, number, seq, created_at, scope, body) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(id) DO UPDATE SET "
          "number = ?4, seq = ?5, scope = ?7, body = ?8",
          next.id, conversation.id, as_blob(key), change.number, message.seq, at, next.scope, next.body)
        .run();
    Query(db_, "DELETE FROM tombstones WHERE conversation = ?1 AND message = ?2", conversation.id, as_blob(key)).run();
    note(present, std::move(next));
    return true;
  }
  bool take(const IndexChange& change, const Conversation& conversation, const MessageRemoved& message) {
    const std::string key = message_key(message.id);
    if (is_buried(conversation, key, change.number)) return false;
    const auto present = document(conversation, key);
    if (present && present->number >= change.number) return false;
    Query(db_,
          "INSERT INTO tombstones(conversation, message, number) VALUES(?1, ?2, ?3) "
          "ON CONFLICT DO UPDATE SET number = ?3",
          conversation.id, as_blob(key), change.number)
        .run();
    if (present) drop(*present);
    return true;
  }
  bool take(const IndexChange& change, const Conversation& conversation, const ConversationErased&) {
    std::vector<Document> gone;
    {
      Query rows(db_, "SELECT id, number, scope, body FROM documents WHERE conversation = ?1 AND number <= ?2",
                 conversation.id, change.number);
      while (rows.step()) gone.push_back(read_document(rows));
    }
    for (const Document& each : gone) drop(each);
    Query(db_, "DELETE FROM tombstones WHERE conversation = ?1 AND number <= ?2", conversation.id, change.number).run();
    Query(db_, "UPDATE conversations SET erased_number = ?2 WHERE id = ?1", conversation.id, change.number).run();
    return true;
  }

  static Document read_document(const Query& row) {
    return {row.integer(0), row.integer(1), std::string(row.text(2)), std::string(row.text(3))};
  }
  std::optional<Document> document(const Conversation& conversation, const std::string& key) {
    Query row(db_, "SELECT id, number, scope, body FROM documents WHERE conversation = ?1 AND message = ?2",
              conversation.id, as_blob(key));
    if (!row.step()) return std::nullopt;
    return read_document(row);
  }
  bool is_buried(const Conversation& conversation, const std::string& key, std::int64_t number) {
    Query row(db_, "SELECT 1 FROM tombstones WHERE conversation = ?1 AND message = ?2 AND number >= ?3",
              conversation.id, as_blob(key), number);
    return row.step();
  }
  std::int64_t free_id(std::int64_t at_ms) {
    // A second that is full runs over into the next.
    for (std::int64_t second = std::max<std::int64_t>(at_ms, 0) / 1000;; ++second) {
      const std::int64_t first = second << kIdBitsInSecond, beyond = (second + 1) << kIdBitsInSecond;
      Query row(db_, "SELECT max(id) FROM documents WHERE id >= ?1 AND id < ?2", first, beyond);
      row.step();
      if (row.is_null(0)) return first;
      if (row.integer(0) + 1 < beyond) return row.integer(0) + 1;
    }
  }
  std::string scope_terms(const IndexChange& change, const Conversation& conversation, const MessageWritten& message) {
    std::string terms(1, kTermsMark);
    const auto add = [&](char kind, std::int64_t id) { terms += kind + std::to_string(id) + ' '; };
    add('c', conversation.id);
    add('f', person(change.tenant, message.sender));
    for (const UserId& user : message.mentions) add('m', person(change.tenant, user));
    if (!message.file_names.empty()) terms += "hf ";
    if (has_link(message.content)) terms += "hl ";
    if (message.has_reaction) terms += "hr ";
    terms.pop_back();
    return terms;
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
    for (const auto& [id, rewrite] : rewrites_) {
      if (rewrite.before) {
        Query(db_, "INSERT INTO words(words, rowid, body, scope) VALUES('delete', ?1, ?2, ?3)", id,
              rewrite.before->body, rewrite.before->scope)
            .run();
      }
      if (rewrite.after) {
        Query(db_, "INSERT INTO words(rowid, body, scope) VALUES(?1, ?2, ?3)", id, rewrite.after->body,
              rewrite.after->scope)
            .run();
      }
    }
  }

  sqlite::Connection& db_;
  ApplyOutcome outcome_;
  std::map<std::int64_t, Rewrite> rewrites_;  // by document
};

}  // namespace

std::string message_key(const MessageId& id) {
  if (const auto uuid = parse_uuid(id.value)) return {reinterpret_cast<const char*>(uuid->data()), uuid->size()};
  std::string key = id.value + '\0';  // ids have no zero byte
  if (key.size() == UuidBytes{}.size()) key += '\0';
  return key;
}

MessageId message_of_key(sqlite::Blob key) {
  if (key.size() == UuidBytes{}.size()) return MessageId(format_uuid(key));
  std::string text(reinterpret_cast<const char*>(key.data()), key.size());
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return MessageId(std::move(text));
}

Result<ApplyOutcome> apply_batch(sqlite::Connection& db, const ChangeBatch& batch) {
  return Batch(db).run(batch);
}

}  // namespace parley::search
