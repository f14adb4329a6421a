#include "search/stores/fts5_generations.h"

namespace parley::search {

namespace {

using Statement = sqlite::Query;

std::int64_t new_generation(sqlite::Connection& db) {
  Statement(db, "INSERT INTO generations DEFAULT VALUES").run();
  return db.last_insert_rowid();
}

RebuildState read_state(const Statement& row) {
  return {.id = std::string(row.text(0)),
          .tenant = TenantId(row.text(1)),
          .cursor = std::string(row.text(2)),
          .messages = row.integer(3),
          .conversations = row.integer(4),
          .users = row.integer(5),
          .started_at = WallTime(std::chrono::milliseconds(row.integer(6)))};
}

std::optional<RebuildState> rebuild_of(sqlite::Connection& db, const TenantId& tenant) {
  Statement row(db,
                "SELECT g.rebuild, t.name, g.cursor, g.messages, g.conversations, g.users, g.started_at "
                "FROM tenants t JOIN generations g ON g.id = t.building WHERE t.name = ?1",
                tenant.value);
  return row.step() ? std::optional(read_state(row)) : std::nullopt;
}

// The tenant's rebuild, if it is that one.
Result<RebuildState> running(sqlite::Connection& db, const TenantId& tenant, const std::string& id) {
  auto present = rebuild_of(db, tenant);
  if (!present || present->id != id) {
    return fail(ErrorKind::kNotFound, "rebuild_unknown", "This rebuild of the tenant's index is not under way.");
  }
  return std::move(*present);
}

void drop_generation(sqlite::Connection& db, std::int64_t generation) {
  Statement(db, "UPDATE generations SET dropped = 1 WHERE id = ?1", generation).run();
}

}  // namespace

std::optional<TenantGenerations> generations_of(sqlite::Connection& db, const TenantId& tenant) {
  Statement row(db, "SELECT id, serving, building FROM tenants WHERE name = ?1", tenant.value);
  if (!row.step()) return std::nullopt;
  return TenantGenerations{row.integer(0), row.integer(1), row.optional_integer(2)};
}

TenantGenerations ensure_tenant(sqlite::Connection& db, const TenantId& tenant) {
  if (const auto known = generations_of(db, tenant)) return *known;
  const std::int64_t serving = new_generation(db);
  Statement(db, "INSERT INTO tenants(name, serving) VALUES(?1, ?2)", tenant.value, serving).run();
  return {db.last_insert_rowid(), serving, std::nullopt};
}

std::optional<std::int64_t> serving_generation(sqlite::Connection& db, const TenantId& tenant) {
  const auto known = generations_of(db, tenant);
  return known ? std::optional(known->serving) : std::nullopt;
}

std::optional<std::int64_t> conversation_number(sqlite::Connection& db, std::int64_t generation,
                                                const ConversationId& conversation) {
  Statement row(db, "SELECT id FROM conversations WHERE generation = ?1 AND public_id = ?2", generation,
                conversation.value);
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

Result<RebuildState> begin_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id,
                                   WallTime now) {
  if (const auto present = rebuild_of(db, tenant)) return fail(ErrorKind::kConflict, "rebuild_running", present->id);
  const TenantGenerations known = ensure_tenant(db, tenant);
  const std::int64_t generation = new_generation(db);
  Statement(db, "UPDATE generations SET rebuild = ?2, started_at = ?3 WHERE id = ?1", generation, id,
            now.time_since_epoch().count())
      .run();
  Statement(db, "UPDATE tenants SET building = ?2 WHERE id = ?1", known.tenant, generation).run();
  return running(db, tenant, id);
}

Result<RebuildState> advance_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id,
                                     const RebuildStep& step) {
  if (const auto present = running(db, tenant, id); !present) return present;
  Statement(db,
            "UPDATE generations SET cursor = ?2, messages = messages + ?3, conversations = conversations + ?4, "
            "users = users + ?5 WHERE id = (SELECT building FROM tenants WHERE name = ?1)",
            tenant.value, step.cursor, step.messages, step.conversations, step.users)
      .run();
  return running(db, tenant, id);
}

Result<RebuildState> finish_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id) {
  auto finished = running(db, tenant, id);
  if (!finished) return finished;
  const TenantGenerations known = *generations_of(db, tenant);
  drop_generation(db, known.serving);
  Statement(db, "UPDATE tenants SET serving = building, building = NULL WHERE id = ?1", known.tenant).run();
  Statement(db,
            "DELETE FROM rebuild_reactions WHERE conversation IN (SELECT id FROM conversations WHERE generation = ?1)",
            *known.building)
      .run();
  return finished;
}

Result<> abandon_rebuild(sqlite::Connection& db, const TenantId& tenant, const std::string& id) {
  if (const auto present = running(db, tenant, id); !present) return fail(present.error());
  const TenantGenerations known = *generations_of(db, tenant);
  drop_generation(db, *known.building);
  Statement(db, "UPDATE tenants SET building = NULL WHERE id = ?1", known.tenant).run();
  return {};
}

std::int64_t new_dropped_generation(sqlite::Connection& db) {
  const std::int64_t generation = new_generation(db);
  drop_generation(db, generation);
  return generation;
}

std::vector<RebuildState> read_rebuilds(sqlite::Connection& db) {
  Statement row(db,
                "SELECT g.rebuild, t.name, g.cursor, g.messages, g.conversations, g.users, g.started_at "
                "FROM tenants t JOIN generations g ON g.id = t.building ORDER BY t.name");
  std::vector<RebuildState> all;
  while (row.step()) all.push_back(read_state(row));
  return all;
}

}  // namespace parley::search
