#include "search/stores/fts5_sweep.h"

#include <optional>
#include <vector>

#include "search/stores/fts5_directory.h"
#include "search/stores/fts5_document.h"
#include "search/stores/fts5_entries.h"
#include "search/stores/fts5_expression.h"
#include "search/stores/fts5_scopes.h"

namespace parley::search {

namespace {

using sqlite::Query;

std::optional<std::int64_t> first_integer(const Query& row, bool stepped) {
  return stepped ? std::optional(row.integer(0)) : std::nullopt;
}

class Sweep {
 public:
  Sweep(sqlite::Connection& db, std::size_t limit) : db_(db), left_(static_cast<std::int64_t>(limit)) {}

  // Whether there is more.
  bool run() {
    while (const auto generation = dropped_generation()) {
      while (const auto conversation = conversation_of(*generation)) {
        if (!clear(*conversation)) return true;
      }
      left_ -= sweep_user_entries(db_, *generation, static_cast<std::size_t>(left_));
      if (left_ <= 0) return true;
      Query(db_, "DELETE FROM generations WHERE id = ?1", *generation).run();
    }
    go_on_with_renewal(db_, static_cast<std::size_t>(left_));
    return is_renewing(db_);
  }

 private:
  std::optional<std::int64_t> dropped_generation() {
    Query row(db_, "SELECT id FROM generations WHERE dropped LIMIT 1");
    return first_integer(row, row.step());
  }
  std::optional<std::int64_t> conversation_of(std::int64_t generation) {
    Query row(db_, "SELECT id FROM conversations WHERE generation = ?1 LIMIT 1", generation);
    return first_integer(row, row.step());
  }

  // Whether nothing of the conversation is left; false when the limit came first.
  bool clear(std::int64_t conversation) {
    clear_documents(conversation);
    left_ -= Query(db_,
                   "DELETE FROM tombstones WHERE conversation = ?1 AND message IN "
                   "(SELECT message FROM tombstones WHERE conversation = ?1 LIMIT ?2)",
                   conversation, left_)
                 .run();
    left_ -= Query(db_,
                   "DELETE FROM rebuild_reactions WHERE conversation = ?1 AND message IN "
                   "(SELECT message FROM rebuild_reactions WHERE conversation = ?1 LIMIT ?2)",
                   conversation, left_)
                 .run();
    if (left_ <= 0) return false;
    // One that was lost may have left its place to another conversation's.
    if (has_lost_entries(db_, conversation)) begin_renewal(db_);
    erase_conversation_entry(db_, conversation);
    Query(db_, "DELETE FROM conversations WHERE id = ?1", conversation).run();
    --left_;
    return true;
  }
  void clear_documents(std::int64_t conversation) {
    std::vector<std::int64_t> ids;
    {
      Query rows(db_,
                 "SELECT d.id FROM words CROSS JOIN documents d ON d.id = words.rowid "
                 "WHERE words MATCH ?1 AND d.conversation = ?2 LIMIT ?3",
                 conversation_term(conversation), conversation, left_);
      while (rows.step()) ids.push_back(rows.integer(0));
    }
    ScopeWriter scopes(db_);
    EntryWriter entries(db_);
    for (const std::int64_t id : ids) {
      entries.remove(id, read_document(db_, id)->entry());
      Query(db_, "DELETE FROM documents WHERE id = ?1", id).run();
      scopes.remove(id);
      --left_;
    }
    scopes.write();
  }

  sqlite::Connection& db_;
  std::int64_t left_;
};

}  // namespace

bool sweep_dropped(sqlite::Connection& db, std::size_t limit) {
  return Sweep(db, limit).run();
}

}  // namespace parley::search
