#include "events/sqlite_event_log.h"

#include <algorithm>

#include "base/check.h"
#include "base/ids.h"

namespace parley::events {

namespace {

struct Nothing {};

EventBatch read_batch(sqlite::Connection& db, LogOffset after, std::size_t limit,
                      const SqliteEventLog::Resolver& resolver) {
  EventBatch batch;
  batch.through = after;
  sqlite::Query rows(db,
                     "SELECT " PARLEY_EVENT_COLUMNS " FROM event_log WHERE position > ?1 ORDER BY position LIMIT ?2",
                     after.value, limit);
  while (rows.step()) {
    Event event = read_event(rows);
    if (rows.is_null(9)) event.data = resolver(db, event, {rows.integer(10), rows.integer(11)});
    batch.through = event.offset;
    batch.events.push_back(std::move(event));
  }
  return batch;
}

}  // namespace

PositionCodec::Secret load_position_secret(sqlite::Connection& connection) {
  PositionCodec::Secret secret{};
  sqlite::Query row(connection, "SELECT value FROM store_facts WHERE name = 'position_secret'");
  CHECK(row.step() && row.blob(0).size() == secret.size());
  std::ranges::copy(row.blob(0), secret.begin());
  return secret;
}

const char* const kEventLogSchema = R"sql(
CREATE TABLE event_log(
  position INTEGER PRIMARY KEY,  -- in commit order; the last row is never pruned, so none is given twice
  id BLOB NOT NULL,
  type TEXT NOT NULL,
  tenant TEXT NOT NULL,
  scope INTEGER NOT NULL,        -- 0 conversation, 1 user
  key TEXT NOT NULL,
  number INTEGER NOT NULL,       -- dense within (tenant, scope, key)
  time INTEGER NOT NULL,
  subject TEXT NOT NULL,
  data TEXT,                     -- JSON; NULL: made from row and version when read
  row INTEGER,
  version INTEGER
) STRICT;
CREATE TABLE event_consumers(
  name TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

namespace {

// At the end, unless `position` says where.
void insert(sqlite::Connection& connection, std::optional<std::int64_t> position, const NewEvent& event) {
  const bool referring = !event.data;
  sqlite::Query(connection,
                "INSERT INTO event_log(" PARLEY_EVENT_COLUMNS
                ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                position, event.id, event.type, event.tenant, static_cast<int>(event.scope), event.key, event.number,
                event.time.time_since_epoch().count(), event.subject, event.data,
                referring ? std::optional(event.reference.row) : std::nullopt,
                referring ? std::optional(event.reference.version) : std::nullopt)
      .run();
}

}  // namespace

LogOffset append(sqlite::Connection& connection, const NewEvent& event) {
  insert(connection, std::nullopt, event);
  return {connection.last_insert_rowid()};
}

void begin_behind(sqlite::Connection& connection, const std::vector<NumberedEvent>& events) {
  connection.exec("DELETE FROM event_log");
  for (const auto& [event, position] : events) insert(connection, position.value, event);
}

Event read_event(const sqlite::Query& row) {
  return {
      .offset = {row.integer(0)},
      .id = EventId(format_uuid(row.blob(1))),
      .type = std::string(row.text(2)),
      .tenant = TenantId(row.text(3)),
      .scope = row.integer(4) == 0 ? EventScope::kConversation : EventScope::kUser,
      .key = std::string(row.text(5)),
      .number = row.integer(6),
      .time = WallTime(std::chrono::milliseconds(row.integer(7))),
      .subject = std::string(row.text(8)),
      .data = std::string(row.text(9)),
  };
}

NewEvent new_event_of(const Event& event) {
  const auto id = parse_uuid(event.id.value);
  CHECK(id.has_value());
  return {.id = *id,
          .type = event.type,
          .tenant = event.tenant.value,
          .scope = event.scope,
          .key = event.key,
          .number = event.number,
          .time = event.time,
          .subject = event.subject,
          .data = event.data};
}

LogOffset head(sqlite::Connection& connection) {
  sqlite::Query last(connection, "SELECT max(position) FROM event_log");
  last.step();
  return {last.integer(0)};
}

SqliteEventLog::SqliteEventLog(sqlite::GroupWriter& writer, sqlite::ReaderPool& readers, CommitSignal& signal,
                               Resolver resolver, const PositionCodec& positions)
    : writer_(writer), readers_(readers), signal_(signal), resolver_(std::move(resolver)), positions_(positions) {}

Task<Result<EventBatch>> SqliteEventLog::read(LogOffset after, std::size_t limit, SteadyTime deadline) {
  return readers_.run<EventBatch>(deadline, [this, after, limit](sqlite::Connection& db) -> Result<EventBatch> {
    return read_batch(db, after, limit, resolver_);
  });
}

Task<Result<LogOffset>> SqliteEventLog::head(SteadyTime deadline) {
  return readers_.run<LogOffset>(deadline,
                                 [](sqlite::Connection& db) -> Result<LogOffset> { return events::head(db); });
}

Task<Result<LogOffset>> SqliteEventLog::tail(SteadyTime deadline) {
  return readers_.run<LogOffset>(deadline, [](sqlite::Connection& db) -> Result<LogOffset> {
    // Never pruned whole: an empty log is one that nothing was ever written to.
    return LogOffset{db.query_int("SELECT coalesce(min(position), 1) FROM event_log") - 1};
  });
}

Task<Result<LogStanding>> SqliteEventLog::standing(SteadyTime deadline) {
  return readers_.run<LogStanding>(deadline, [](sqlite::Connection& db) -> Result<LogStanding> {
    LogStanding standing{.head = events::head(db), .events = 0, .behind = {}};
    if (standing.head.value > 0) {
      // Offsets have no gaps, and only the oldest events are pruned.
      standing.events = standing.head.value - db.query_int("SELECT min(position) FROM event_log") + 1;
    }
    sqlite::Query consumers(db, "SELECT name, position FROM event_consumers ORDER BY name");
    while (consumers.step()) {
      standing.behind.emplace_back(consumers.text(0), standing.head.value - consumers.integer(1));
    }
    return standing;
  });
}

Task<Result<LogOffset>> SqliteEventLog::load_offset(std::string consumer, SteadyTime deadline) {
  return readers_.run<LogOffset>(deadline, [name = std::move(consumer)](sqlite::Connection& db) -> Result<LogOffset> {
    sqlite::Query row(db, "SELECT position FROM event_consumers WHERE name = ?1", name);
    return row.step() ? LogOffset{row.integer(0)} : LogOffset{};
  });
}

Task<Result<>> SqliteEventLog::save_offset(std::string consumer, LogOffset offset, SteadyTime deadline) {
  auto saved = co_await writer_.run<Nothing>(
      deadline, [name = std::move(consumer), offset](sqlite::Connection& db) -> Result<Nothing> {
        sqlite::Query(db,
                      "INSERT INTO event_consumers(name, position) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE "
                      "SET position = excluded.position WHERE excluded.position > position",
                      name, offset.value)
            .run();
        return Nothing{};
      });
  if (!saved) co_return std::unexpected(std::move(saved.error()));
  co_return Result<>{};
}

Task<Result<>> SqliteEventLog::forget_consumer(std::string consumer, SteadyTime deadline) {
  auto done =
      co_await writer_.run<Nothing>(deadline, [name = std::move(consumer)](sqlite::Connection& db) -> Result<Nothing> {
        sqlite::Query(db, "DELETE FROM event_consumers WHERE name = ?1", name).run();
        return Nothing{};
      });
  if (!done) co_return std::unexpected(std::move(done.error()));
  co_return Result<>{};
}

Task<Result<std::int64_t>> SqliteEventLog::prune(WallTime before, std::size_t limit, SteadyTime deadline) {
  return prune(before, limit, LogOffset{0}, deadline);
}

Task<Result<std::int64_t>> SqliteEventLog::prune_unread(WallTime before, std::size_t limit, SteadyTime deadline) {
  return prune(before, limit, LogOffset{INT64_MAX}, deadline);
}

Task<Result<std::int64_t>> SqliteEventLog::prune(WallTime before, std::size_t limit, LogOffset passed,
                                                 SteadyTime deadline) {
  return writer_.run<std::int64_t>(deadline, [before, limit, passed](sqlite::Connection& db) -> Result<std::int64_t> {
    // The first event that must stay ends the run, also where the clock was set back behind it: no holes.
    return sqlite::Query(db,
                         "WITH oldest AS MATERIALIZED (SELECT position, time FROM event_log "
                         "WHERE position <= coalesce((SELECT min(position) FROM event_consumers), ?3) "
                         "AND position < (SELECT max(position) FROM event_log) ORDER BY position LIMIT ?2) "
                         "DELETE FROM event_log WHERE position IN (SELECT position FROM oldest WHERE position < "
                         "coalesce((SELECT min(position) FROM oldest WHERE time >= ?1), 9223372036854775807))",
                         before.time_since_epoch().count(), limit, passed.value)
        .run();
  });
}

CommitSignal::Subscription SqliteEventLog::subscribe(std::function<void()> listener) {
  return signal_.subscribe(std::move(listener));
}

std::string SqliteEventLog::position_of(const TenantId& tenant, LogOffset offset) const {
  return positions_.encode(tenant, offset);
}

std::optional<LogOffset> SqliteEventLog::offset_of(const TenantId& tenant, std::string_view position) const {
  return positions_.decode(tenant, position);
}

}  // namespace parley::events
