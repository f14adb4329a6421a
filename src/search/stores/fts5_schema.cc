#include "search/stores/fts5_schema.h"

namespace parley::search {

namespace {

// A tenant's index is a generation: the one that serves, and perhaps one that is being built. Conversations have their
// numbers within a generation, and so have the documents, which name a conversation: swapping is one row.
//
// documents.id is the order of "newest". Each column that could be told from others is not kept; numbers are kept as
// differences, which are small. `entries` is what FTS5 indexes: it keeps no text, but a delete must give it the same
// text again. Searched by message with the first bytes of the id alone: half the size, and equal ones are told apart.
constexpr const char* kIndexTables = R"sql(
CREATE TABLE progress(
  only INTEGER PRIMARY KEY CHECK(only = 1),
  through INTEGER NOT NULL,
  run_over INTEGER NOT NULL       -- seconds that the id of a document may be ahead of its time
) STRICT;
INSERT INTO progress VALUES(1, 0, 0);

CREATE TABLE tenants(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  serving INTEGER NOT NULL,       -- generations
  building INTEGER
) STRICT;
CREATE TABLE generations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  dropped INTEGER NOT NULL DEFAULT 0,
  rebuild TEXT NOT NULL DEFAULT '',
  cursor TEXT NOT NULL DEFAULT '',
  messages INTEGER NOT NULL DEFAULT 0,
  conversations INTEGER NOT NULL DEFAULT 0,
  users INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX generations_dropped ON generations(dropped) WHERE dropped;

CREATE TABLE conversations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  generation INTEGER NOT NULL,
  public_id TEXT NOT NULL,
  erased_number INTEGER NOT NULL DEFAULT -1
) STRICT;
CREATE UNIQUE INDEX conversations_by_id ON conversations(generation, public_id);

CREATE TABLE people(
  id INTEGER PRIMARY KEY,
  tenant INTEGER NOT NULL,
  public_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX people_by_id ON people(tenant, public_id);

CREATE TABLE documents(
  id INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  message BLOB NOT NULL,          -- the UUID's bytes
  seq INTEGER NOT NULL,
  number_ahead INTEGER NOT NULL,  -- number of the event that wrote it, less seq
  created_ahead INTEGER NOT NULL, -- milliseconds of created_at after the second of the id
  sender INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  mentions TEXT,
  names_at INTEGER,               -- where in body the names of files begin
  body BLOB NOT NULL
) STRICT;
CREATE INDEX documents_by_message ON documents(substr(message, 1, 8));

CREATE TABLE tombstones(
  conversation INTEGER NOT NULL,
  message BLOB NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY(conversation, message)
) STRICT, WITHOUT ROWID;

-- What events said of reactions while a generation is being built.
CREATE TABLE rebuild_reactions(
  conversation INTEGER NOT NULL,
  message BLOB NOT NULL,
  number INTEGER NOT NULL,
  any_left INTEGER NOT NULL,
  PRIMARY KEY(conversation, message)
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters(
  offset INTEGER PRIMARY KEY,
  event TEXT NOT NULL,
  type TEXT NOT NULL,
  tenant TEXT NOT NULL,
  key TEXT NOT NULL,
  reason TEXT NOT NULL
) STRICT;

CREATE VIEW entries AS
  SELECT id, parley_entry(conversation, sender, mentions, flags, body) AS entry FROM documents;
CREATE VIRTUAL TABLE words USING fts5(
  entry, content='entries', content_rowid='id', tokenize='parley', columnsize=0
);
)sql";

// What conversations and people are called. Spellings and terms are the lines of search/text/name_match.h. user_names
// has each of a person's lines as a row: whole spellings (kind 0), words (kind 1).
constexpr const char* kDirectoryTables = R"sql(
CREATE TABLE conversation_entries(
  conversation INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,        -- of the event that wrote it; 0: read from the store
  name TEXT NOT NULL,
  topic TEXT NOT NULL,
  archived INTEGER NOT NULL,
  spellings TEXT NOT NULL,
  terms TEXT NOT NULL,
  topic_terms TEXT NOT NULL
) STRICT;

CREATE TABLE user_entries(
  generation INTEGER NOT NULL,
  user TEXT NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  spellings TEXT NOT NULL,
  terms TEXT NOT NULL,
  PRIMARY KEY(generation, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_names(
  generation INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  text TEXT NOT NULL,
  user TEXT NOT NULL,
  PRIMARY KEY(generation, kind, text, user)
) STRICT, WITHOUT ROWID;
)sql";

// See fts5_scopes.h.
constexpr const char* kScopes = R"sql(
CREATE TABLE document_scopes(
  first INTEGER PRIMARY KEY,      -- no document of the row has a smaller id
  packed BLOB NOT NULL
) STRICT;
)sql";

// See fts5_entries.h. There: a table words_anew is being filled.
constexpr const char* kRenewal = R"sql(
CREATE TABLE renewal(
  only INTEGER PRIMARY KEY CHECK(only = 1),
  below INTEGER NOT NULL,         -- documents with a smaller id are in it
  again INTEGER NOT NULL          -- whether another is to follow
) STRICT;
)sql";

// How far each lane of the log is; progress.through is the least of them.
constexpr const char* kLanes = R"sql(
CREATE TABLE lanes(
  lane INTEGER PRIMARY KEY,
  through INTEGER NOT NULL,
  next INTEGER NOT NULL
) STRICT;
INSERT INTO lanes SELECT 0, through, 0 FROM progress;
)sql";

constexpr sqlite::Migration kMigrations[] = {
    {1, kIndexTables}, {2, kDirectoryTables}, {3, kScopes}, {4, kRenewal}, {5, kLanes}};

}  // namespace

std::span<const sqlite::Migration> search_migrations() {
  return kMigrations;
}

}  // namespace parley::search
