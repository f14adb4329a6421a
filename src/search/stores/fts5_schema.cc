#include "search/stores/fts5_schema.h"

namespace parley::search {

namespace {

// documents.id is the order of "newest": seconds of created_at << 16, and a number of its own within the second.
// `words` keeps no text: FTS5 reads it from documents, which a delete needs too.
constexpr const char* kFirstTables = R"sql(
CREATE TABLE progress(
  only INTEGER PRIMARY KEY CHECK(only = 1),
  through INTEGER NOT NULL
) STRICT;
INSERT INTO progress VALUES(1, 0);

CREATE TABLE conversations(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  public_id TEXT NOT NULL,
  erased_number INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX conversations_by_id ON conversations(tenant, public_id);

CREATE TABLE people(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  public_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX people_by_id ON people(tenant, public_id);

CREATE TABLE documents(
  id INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  message BLOB NOT NULL,          -- the UUID's bytes
  number INTEGER NOT NULL,        -- of the event that wrote it
  seq INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  scope TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX documents_by_message ON documents(conversation, message);

CREATE TABLE tombstones(
  conversation INTEGER NOT NULL,
  message BLOB NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY(conversation, message)
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE words USING fts5(
  body, scope, content='documents', content_rowid='id', tokenize='parley', prefix='2 3'
);
)sql";

constexpr sqlite::Migration kMigrations[] = {{1, kFirstTables}};

}  // namespace

std::span<const sqlite::Migration> search_migrations() {
  return kMigrations;
}

}  // namespace parley::search
