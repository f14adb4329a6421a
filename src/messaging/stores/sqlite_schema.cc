#include "messaging/stores/sqlite_schema.h"

#include <string>

#include "events/sqlite_event_log.h"

namespace parley::messaging {

namespace {

// Times are milliseconds since 1970; lists and metadata are JSON text, NULL when empty.
constexpr const char* kFirstTables = R"sql(
CREATE TABLE store_facts(
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO store_facts VALUES('position_secret', randomblob(32));

CREATE TABLE conversations(
  id INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  public_id TEXT NOT NULL,
  kind INTEGER NOT NULL,          -- 0 group, 1 direct
  direct_key TEXT,                -- of the pair
  name TEXT,
  topic TEXT,
  metadata TEXT,
  archived INTEGER NOT NULL DEFAULT 0,
  imported INTEGER NOT NULL DEFAULT 0,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  deleted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX conversations_by_id ON conversations(tenant, public_id);
CREATE UNIQUE INDEX conversations_by_pair ON conversations(tenant, direct_key)
  WHERE direct_key IS NOT NULL AND deleted_at IS NULL;

-- What each send changes, apart from what it does not.
CREATE TABLE conversation_state(
  conversation INTEGER PRIMARY KEY,
  last_seq INTEGER NOT NULL DEFAULT 0,
  live INTEGER NOT NULL DEFAULT 0,          -- messages that are not deleted
  event_number INTEGER NOT NULL DEFAULT 0,  -- of the last event
  member_count INTEGER NOT NULL DEFAULT 0,
  owner_count INTEGER NOT NULL DEFAULT 0,
  last_activity_at INTEGER NOT NULL
) STRICT;

-- accounted: of the live messages, those the member wrote or has read; unread = live - accounted.
CREATE TABLE members(
  conversation INTEGER NOT NULL,
  user TEXT NOT NULL,
  tenant TEXT NOT NULL,
  role INTEGER NOT NULL,
  joined_at INTEGER NOT NULL,
  read_seq INTEGER NOT NULL,
  accounted INTEGER NOT NULL,
  PRIMARY KEY(conversation, user)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_user ON members(tenant, user);
CREATE INDEX members_by_joining ON members(conversation, joined_at, user);

CREATE TABLE messages(
  key INTEGER PRIMARY KEY,        -- conversation << 32 | seq
  id BLOB NOT NULL,
  sender TEXT NOT NULL,
  content TEXT,                   -- NULL in a tombstone
  type TEXT,                      -- NULL: text
  attachments TEXT,
  reply_to INTEGER,               -- keys
  thread_root INTEGER,
  reply_count INTEGER NOT NULL DEFAULT 0,
  last_reply_at INTEGER,
  mentions TEXT,
  metadata TEXT,
  client_message_id TEXT,
  reaction_total INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  edited_at INTEGER,
  deleted_at INTEGER,
  deleted_by TEXT,
  version INTEGER NOT NULL DEFAULT 1,
  imported INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX messages_by_id ON messages(id);
CREATE INDEX messages_by_thread ON messages(thread_root, key) WHERE thread_root IS NOT NULL;

-- Versions that an edit replaced.
CREATE TABLE message_versions(
  message INTEGER NOT NULL,
  version INTEGER NOT NULL,
  content TEXT NOT NULL,
  mentions TEXT,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(message, version)
) STRICT, WITHOUT ROWID;

-- place: grows with each reaction given, so that the first come first.
CREATE TABLE reactions(
  message INTEGER NOT NULL,
  reaction TEXT NOT NULL,
  user TEXT NOT NULL,
  place INTEGER NOT NULL,
  PRIMARY KEY(message, reaction, user)
) STRICT, WITHOUT ROWID;

-- key: digest of the scope and the client's key; request: digest of the fields; resource: message key or conversation.
CREATE TABLE idempotency(
  key BLOB PRIMARY KEY,
  request BLOB NOT NULL,
  resource INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE import_ids(
  conversation INTEGER NOT NULL,
  external_id TEXT NOT NULL,
  message INTEGER NOT NULL,
  PRIMARY KEY(conversation, external_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE users(
  tenant TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT,
  avatar_url TEXT,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version INTEGER NOT NULL DEFAULT 1,
  PRIMARY KEY(tenant, id)
) STRICT, WITHOUT ROWID;
)sql";

// Deleted conversations whose messages still wait to be erased, a piece at a time.
constexpr const char* kErasures = R"sql(
CREATE TABLE erasures(
  conversation INTEGER PRIMARY KEY,
  next_seq INTEGER NOT NULL
) STRICT;
INSERT INTO erasures SELECT id, 1 FROM conversations WHERE deleted_at IS NOT NULL;
)sql";

// Finds the few events that hold a conversation's name, topic and metadata, which its deletion takes out of them.
constexpr const char* kNamingEvents = R"sql(
CREATE INDEX event_log_naming ON event_log(tenant, key)
  WHERE scope = 0 AND type IN ('conversation.created', 'conversation.updated');
UPDATE event_log SET data = json_set(data, '$.name', NULL, '$.topic', NULL, '$.metadata', json('{}'))
  WHERE scope = 0 AND type IN ('conversation.created', 'conversation.updated')
  AND (tenant, key) IN (SELECT tenant, public_id FROM conversations WHERE deleted_at IS NOT NULL);
)sql";

// What live messages attach, so that a file leads to those who may read it. What is known of a file is what media told
// when it was sent; NULL where it told nothing, and once the file is deleted. No message attached a file before this
// table.
constexpr const char* kMessageFiles = R"sql(
CREATE TABLE message_files(
  message INTEGER NOT NULL,       -- key
  place INTEGER NOT NULL,         -- in messages.attachments, from 0
  file TEXT NOT NULL,
  filename TEXT,
  size INTEGER,
  content_type TEXT,
  PRIMARY KEY(message, place)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_files_by_file ON message_files(file, message);
)sql";

// Files that media told were deleted: a message that was on its way when they were attaches them no more. Kept for
// longer than any request lasts.
constexpr const char* kDeletedFiles = R"sql(
CREATE TABLE deleted_files(
  tenant TEXT NOT NULL,
  file TEXT NOT NULL,
  told_at INTEGER NOT NULL,
  PRIMARY KEY(tenant, file)
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_files_by_time ON deleted_files(told_at);
)sql";

}  // namespace

std::span<const sqlite::Migration> messaging_migrations() {
  static const std::string first = std::string(kFirstTables) + events::kEventLogSchema;
  static const sqlite::Migration migrations[] = {
      {1, first.c_str()}, {2, kErasures}, {3, kNamingEvents}, {4, kMessageFiles}, {5, kDeletedFiles}};
  return migrations;
}

}  // namespace parley::messaging
