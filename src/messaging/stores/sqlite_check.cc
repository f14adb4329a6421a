#include "messaging/stores/sqlite_check.h"

#include "messaging/stores/sqlite_messaging_store.h"
#include "messaging/stores/sqlite_schema.h"

namespace parley::messaging {

namespace {

using sqlite::Rule;

constexpr Rule kCounters[] = {
    {"conversation without counters",
     "SELECT public_id, tenant FROM conversations c WHERE NOT EXISTS "
     "(SELECT 1 FROM conversation_state s WHERE s.conversation = c.id)"},
    {"seqs are not dense, or miscounted",
     "SELECT s.conversation, format('last %d, rows %d from %d to %d', s.last_seq, n, low, high) "
     "FROM conversation_state s LEFT JOIN (SELECT key >> 32 AS c, count(*) AS n, min(key) & 0xffffffff AS low, "
     "max(key) & 0xffffffff AS high FROM messages GROUP BY key >> 32) ON c = s.conversation "
     "WHERE s.last_seq <> coalesce(n, 0) OR (n > 0 AND (low <> 1 OR high <> s.last_seq))"},
    {"live messages are miscounted",
     "SELECT s.conversation, format('counted %d, are %d', s.live, n) FROM conversation_state s LEFT JOIN "
     "(SELECT key >> 32 AS c, sum(deleted_at IS NULL) AS n FROM messages GROUP BY key >> 32) "
     "ON c = s.conversation WHERE s.live <> coalesce(n, 0)"},
    {"messages of no conversation",
     "SELECT key >> 32, count(*) FROM messages WHERE key >> 32 NOT IN (SELECT id FROM conversations) "
     "GROUP BY key >> 32"},
    {"members are miscounted",
     "SELECT s.conversation, format('counted %d and %d owners, are %d and %d', s.member_count, s.owner_count, n, o) "
     "FROM conversation_state s LEFT JOIN (SELECT conversation AS c, count(*) AS n, sum(role = 3) AS o "
     "FROM members GROUP BY conversation) ON c = s.conversation "
     "WHERE s.member_count <> coalesce(n, 0) OR s.owner_count <> coalesce(o, 0)"},
    {"a member of another tenant, or of no conversation",
     "SELECT m.conversation, format('user %s, tenant %s', m.user, m.tenant) FROM members m LEFT JOIN "
     "conversations c ON c.id = m.conversation WHERE c.deleted_at IS NOT NULL OR c.tenant IS NOT m.tenant"},
    {"unread is miscounted",
     "SELECT m.conversation, format('user %s: counted %d', m.user, s.live - m.accounted) FROM members m "
     "JOIN conversation_state s ON s.conversation = m.conversation WHERE s.live - m.accounted <> "
     "(SELECT count(*) FROM messages x WHERE x.key > (m.conversation << 32 | m.read_seq) "
     "AND x.key < (m.conversation + 1) << 32 AND x.deleted_at IS NULL AND x.sender <> m.user)"},
};

constexpr Rule kMessages[] = {
    {"replies are miscounted",
     "SELECT m.key, format('counted %d', m.reply_count) FROM messages m WHERE (m.reply_count <> 0 OR m.key IN "
     "(SELECT thread_root FROM messages WHERE thread_root IS NOT NULL)) AND m.reply_count <> "
     "(SELECT count(*) FROM messages r WHERE r.thread_root = m.key AND r.deleted_at IS NULL) "
     // Those of a deleted conversation are erased piece by piece.
     "AND m.key >> 32 NOT IN (SELECT id FROM conversations WHERE deleted_at IS NOT NULL)"},
    {"a reply to no message of its conversation",
     "SELECT m.key, format('reply to %d, root %d', m.reply_to, m.thread_root) FROM messages m "
     "WHERE (m.reply_to IS NOT NULL OR m.thread_root IS NOT NULL) AND (m.reply_to >> 32 IS NOT m.key >> 32 OR "
     "m.thread_root >> 32 IS NOT m.key >> 32 OR m.reply_to >= m.key OR "
     "NOT EXISTS (SELECT 1 FROM messages r WHERE r.key = m.reply_to) OR "
     "NOT EXISTS (SELECT 1 FROM messages r WHERE r.key = m.thread_root AND r.thread_root IS NULL))"},
    {"reactions are miscounted",
     "SELECT m.key, format('counted %d', m.reaction_total) FROM messages m WHERE (m.reaction_total <> 0 OR "
     "m.key IN (SELECT message FROM reactions)) AND m.reaction_total <> "
     "(SELECT count(*) FROM reactions r WHERE r.message = m.key)"},
    {"a deleted message still says something",
     "SELECT key, 'tombstone' FROM messages WHERE deleted_at IS NOT NULL AND (content IS NOT NULL OR "
     "attachments IS NOT NULL OR mentions IS NOT NULL OR metadata IS NOT NULL OR client_message_id IS NOT NULL "
     "OR EXISTS (SELECT 1 FROM message_versions v WHERE v.message = key))"},
    {"a message says nothing and is not deleted",
     "SELECT key, 'no content' FROM messages WHERE deleted_at IS NULL AND content IS NULL"},
    {"an attachment that its file does not lead to",
     "SELECT m.key, j.value FROM messages m, json_each(m.attachments) j WHERE m.attachments IS NOT NULL AND NOT EXISTS "
     "(SELECT 1 FROM message_files f WHERE f.message = m.key AND f.place = j.key AND f.file = j.value)"},
    {"a file that leads to no attachment",
     "SELECT f.message, f.file FROM message_files f WHERE NOT EXISTS (SELECT 1 FROM messages m, "
     "json_each(m.attachments) j WHERE m.key = f.message AND m.attachments IS NOT NULL AND j.key = f.place AND "
     "j.value = f.file)"},
    {"versions are not dense",
     "SELECT m.key, format('version %d, kept %d', m.version, coalesce(v.n, 0)) FROM messages m LEFT JOIN "
     "(SELECT message, count(*) AS n FROM message_versions GROUP BY message) v ON v.message = m.key "
     "WHERE m.deleted_at IS NULL AND coalesce(v.n, 0) <> m.version - 1"},
    {"an import id of no message",
     "SELECT conversation, external_id FROM import_ids WHERE message NOT IN (SELECT key FROM messages) "
     "OR message >> 32 <> conversation"},
};

// Each change has its event, in conversations whose events are all still there.
constexpr Rule kChanges[] = {
    {"edits and deletions and their events differ in number",
     "SELECT c.public_id, format('%d changes, %d events', v, n) FROM (SELECT tenant, key, min(number) AS low, "
     "sum(type IN ('message.edited', 'message.deleted')) AS n FROM event_log WHERE scope = 0 "
     "GROUP BY tenant, key) e JOIN conversations c ON c.tenant = e.tenant AND c.public_id = e.key "
     "JOIN (SELECT key >> 32 AS m, sum(version - 1) AS v FROM messages GROUP BY key >> 32) ON m = c.id "
     "WHERE e.low = 1 AND n <> v"},
    {"changes of a conversation and their events differ in number",
     "SELECT c.public_id, format('version %d, %d events', c.version, n) FROM (SELECT tenant, key, min(number) "
     "AS low, sum(type IN ('conversation.created', 'conversation.updated')) AS n FROM event_log "
     "WHERE scope = 0 GROUP BY tenant, key) e JOIN conversations c ON c.tenant = e.tenant "
     "AND c.public_id = e.key WHERE e.low = 1 AND n <> c.version"},
    {"members and their events differ in number",
     "SELECT c.public_id, format('%d members, %d by events', s.member_count, n) FROM (SELECT tenant, key, "
     "min(number) AS low, sum((type = 'member.added') - (type = 'member.removed')) AS n FROM event_log "
     "WHERE scope = 0 GROUP BY tenant, key) e JOIN conversations c ON c.tenant = e.tenant "
     "AND c.public_id = e.key JOIN conversation_state s ON s.conversation = c.id "
     "WHERE e.low = 1 AND c.deleted_at IS NULL AND n <> s.member_count"},
};

// Numbers are dense within each key, from wherever the log has been pruned to, and end where the key's counter stands.
constexpr Rule kEvents[] = {
    {"event numbers are not dense",
     "SELECT key, format('%d events from %d to %d', n, low, high) FROM (SELECT tenant, scope, key, count(*) AS n, "
     "count(DISTINCT number) AS d, min(number) AS low, max(number) AS high FROM event_log "
     "GROUP BY tenant, scope, key) WHERE n <> d OR high - low + 1 <> n"},
    {"a conversation's last event is missing",
     "SELECT c.public_id, format('tenant %s, counted %d', c.tenant, s.event_number) FROM conversations c "
     "JOIN conversation_state s ON s.conversation = c.id JOIN (SELECT tenant, key, max(number) AS high "
     "FROM event_log WHERE scope = 0 GROUP BY tenant, key) e ON e.tenant = c.tenant AND e.key = c.public_id "
     "WHERE e.high <> s.event_number"},
    {"a user's last event is missing",
     "SELECT u.id, format('tenant %s, version %d', u.tenant, u.version) FROM users u JOIN (SELECT tenant, key, "
     "max(number) AS high FROM event_log WHERE scope = 1 GROUP BY tenant, key) e "
     "ON e.tenant = u.tenant AND e.key = u.id WHERE e.high <> u.version"},
    // Only while nothing was pruned can every message's first event be asked for.
    {"messages and their message.created events differ in number",
     "SELECT c.public_id, format('%d messages, %d events', s.last_seq, n) FROM (SELECT tenant, key, min(number) "
     "AS low, count(DISTINCT CASE WHEN type = 'message.created' THEN row END) AS n FROM event_log "
     "WHERE scope = 0 GROUP BY tenant, key) e JOIN conversations c ON c.tenant = e.tenant "
     "AND c.public_id = e.key JOIN conversation_state s ON s.conversation = c.id "
     "WHERE e.low = 1 AND n <> s.last_seq"},
};

// Can be asked only while nothing was pruned.
constexpr Rule kWholeLog[] = {
    {"a conversation without events",
     "SELECT public_id, tenant FROM conversations WHERE (tenant, public_id) NOT IN "
     "(SELECT tenant, key FROM event_log WHERE scope = 0)"},
};

}  // namespace

CheckReport check_messaging(sqlite::Connection& db) {
  CheckReport report;
  sqlite::check_pages(db, report.problems);
  sqlite::check_rules(db, kCounters, report.problems);
  sqlite::check_rules(db, kMessages, report.problems);
  sqlite::check_rules(db, kEvents, report.problems);
  sqlite::check_rules(db, kChanges, report.problems);
  if (db.query_int("SELECT coalesce(min(position), 1) FROM event_log") == 1)
    sqlite::check_rules(db, kWholeLog, report.problems);
  report.conversations = db.query_int("SELECT count(*) FROM conversations WHERE deleted_at IS NULL");
  report.messages = db.query_int("SELECT count(*) FROM messages");
  report.events = db.query_int("SELECT count(*) FROM event_log");
  return report;
}

Result<CheckReport> check_messaging_folder(const std::filesystem::path& folder) {
  return sqlite::with_snapshot(folder / kMessagingDatabase, kMessagingApplicationId,
                               messaging_migrations().back().version, "messaging", check_messaging);
}

Result<> backup_messaging_folder(const std::filesystem::path& folder, const std::filesystem::path& target) {
  return sqlite::with_database(folder / kMessagingDatabase, kMessagingApplicationId,
                               messaging_migrations().back().version, "messaging",
                               [&target](sqlite::Connection& db) -> Result<> {
                                 sqlite::backup(db, target);
                                 return {};
                               });
}

}  // namespace parley::messaging
