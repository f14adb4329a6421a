#include "media/stores/sqlite_schema.h"

#include <string>

#include "events/sqlite_event_log.h"

namespace parley::media {

namespace {

// Times are milliseconds since 1970; ids of files and uploads are the 16 bytes of their UUID.
constexpr const char* kFirstTables = R"sql(
CREATE TABLE store_facts(
  name TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO store_facts VALUES('position_secret', randomblob(32));

CREATE TABLE files(
  id BLOB PRIMARY KEY,
  tenant TEXT NOT NULL,
  owner TEXT NOT NULL,
  filename TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  image_width INTEGER,
  image_height INTEGER,
  thumbnails INTEGER NOT NULL DEFAULT 0,  -- bits: 1 small, 2 medium, 4 large
  deleted_at INTEGER,                     -- from then on the row is there for its bytes' sake, until they are removed
  deleted_by TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX files_of_owner ON files(tenant, owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX files_to_purge ON files(deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE uploads(
  id BLOB PRIMARY KEY,            -- of the file, once it is one
  tenant TEXT NOT NULL,
  owner TEXT NOT NULL,
  kind INTEGER NOT NULL,          -- 0 whole, 1 chunked, 2 tus, 3 tus partial
  filename TEXT NOT NULL,
  declared_type TEXT NOT NULL,
  size INTEGER,
  expected_sha256 BLOB,
  chunk_size INTEGER NOT NULL,
  tus_metadata TEXT NOT NULL,
  reserved INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  complete INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_under_way ON uploads(expires_at) WHERE complete = 0;
CREATE INDEX uploads_remembered ON uploads(expires_at) WHERE complete = 1;
CREATE INDEX uploads_whole ON uploads(created_at) WHERE kind = 0 AND complete = 0;

-- What is there of an upload: ranges that neither overlap nor touch.
CREATE TABLE upload_ranges(
  upload BLOB NOT NULL,
  first_byte INTEGER NOT NULL,
  end_byte INTEGER NOT NULL,
  PRIMARY KEY(upload, first_byte)
) STRICT, WITHOUT ROWID;

-- The quotas' counters: stored and files of files that are not deleted, reserved and uploads of uploads under way.
CREATE TABLE user_usage(
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  stored INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  files INTEGER NOT NULL,
  uploads INTEGER NOT NULL,
  event_number INTEGER NOT NULL,  -- of the last event of the user's files
  PRIMARY KEY(tenant, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE tenant_usage(
  tenant TEXT PRIMARY KEY,
  stored INTEGER NOT NULL,
  reserved INTEGER NOT NULL,
  files INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace

std::span<const sqlite::Migration> media_migrations() {
  static const std::string first = std::string(kFirstTables) + events::kEventLogSchema;
  static const sqlite::Migration migrations[] = {{1, first.c_str()}};
  return migrations;
}

}  // namespace parley::media
