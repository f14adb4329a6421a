// The bulk import, as one job of the SQLite store: a batch is checked whole before its first row is written.
#include <unordered_map>
#include <unordered_set>

#include "messaging/event_data.h"
#include "messaging/stores/sqlite_writes.h"

namespace parley::messaging {

namespace {

// What a batch refers to, found before anything is written.
struct Plan {
  std::vector<const ImportedMessage*> fresh;
  std::unordered_map<std::string, std::int64_t> keys;  // external id → key; of fresh ones, given when written
  std::int64_t existing = 0;
};

std::optional<std::int64_t> find_imported(sqlite::Connection& db, std::int64_t conversation,
                                          const std::string& external_id) {
  sqlite::Query row(db, "SELECT message FROM import_ids WHERE conversation = ?1 AND external_id = ?2", conversation,
                    external_id);
  return row.step() ? std::optional(row.integer(0)) : std::nullopt;
}

Result<> check_authors(WriteContext& write, const ImportMessages& command) {
  std::unordered_set<std::string> known;
  const auto check = [&](const UserId& user, const std::string& path) -> Result<> {
    if (!known.insert(user.value).second) return {};
    if (!find_user(write.db, write.caller.tenant, user)) return {};
    return author_has_signed_in(path);
  };
  for (const auto& line : command.messages) {
    if (auto ok = check(line.author, line_path(line, "author")); !ok) return ok;
    for (std::size_t i = 0; i < line.reactions.size(); ++i) {
      for (std::size_t j = 0; j < line.reactions[i].users.size(); ++j) {
        const auto path = line_path(line, "reactions/") + std::to_string(i) + "/users/" + std::to_string(j);
        if (auto ok = check(line.reactions[i].users[j], path); !ok) return ok;
      }
    }
  }
  return {};
}

Result<Plan> plan(WriteContext& write, const ConversationRow& conversation, const ImportMessages& command) {
  Plan out;
  for (const auto& line : command.messages) {
    if (line.reply_to_external_id && !out.keys.contains(*line.reply_to_external_id)) {
      const auto target = find_imported(write.db, conversation.row, *line.reply_to_external_id);
      if (!target) return no_such_imported_target(line);
      out.keys.emplace(*line.reply_to_external_id, *target);
    }
    const auto held = find_imported(write.db, conversation.row, line.external_id);
    if (held || out.keys.contains(line.external_id)) {
      if (held) out.keys.emplace(line.external_id, *held);
      ++out.existing;
      continue;
    }
    out.keys.emplace(line.external_id, 0);
    out.fresh.push_back(&line);
  }
  return out;
}

struct Thread {
  std::optional<std::int64_t> reply_to;
  std::optional<std::int64_t> root;
};

Thread thread_of(sqlite::Connection& db, std::optional<std::int64_t> reply_to) {
  if (!reply_to) return {};
  sqlite::Query row(db, "SELECT thread_root FROM messages WHERE key = ?1", *reply_to);
  CHECK(row.step());
  return {reply_to, row.is_null(0) ? *reply_to : row.integer(0)};
}

void insert_reactions(WriteContext& write, ConversationRow& conversation, std::int64_t key, const MessageId& id,
                      const ImportedMessage& line) {
  std::int64_t total = 0;
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (const auto& reaction : line.reactions) {
    for (const UserId& user : reaction.users) {
      const bool added = sqlite::Query(write.db,
                                       "INSERT OR IGNORE INTO reactions(message, reaction, user, place) "
                                       "VALUES(?1, ?2, ?3, ?4)",
                                       key, reaction.reaction, user.value, total + 1)
                             .run() > 0;
      if (!added) continue;
      const std::int64_t count = ++counts[reaction.reaction];
      ++total;
      write.event(conversation, kReactionAdded, id.value,
                  reaction_data(id, conversation.id, seq_of_key(key), {user, reaction.reaction, count, total}));
    }
  }
  if (total == 0) return;
  sqlite::Query(write.db, "UPDATE messages SET reaction_total = ?2 WHERE key = ?1", key, total).run();
}

std::int64_t insert_imported(WriteContext& write, ConversationRow& conversation, const ImportedMessage& line,
                             const Thread& thread) {
  const std::int64_t key = message_key(conversation.row, ++conversation.last_seq);
  const UuidBytes bytes = write.ids.next(write.now);
  const MessageId id(format_uuid(bytes));
  sqlite::Query(write.db,
                "INSERT INTO messages(key, id, sender, content, reply_to, thread_root, created_at, imported) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
                key, bytes, line.author.value, line.content, thread.reply_to, thread.root, to_ms(line.created_at))
      .run();
  sqlite::Query(write.db, "INSERT INTO import_ids(conversation, external_id, message) VALUES(?1, ?2, ?3)",
                conversation.row, line.external_id, key)
      .run();
  if (thread.root) {
    sqlite::Query(write.db, "UPDATE messages SET reply_count = reply_count + 1, last_reply_at = ?2 WHERE key = ?1",
                  *thread.root, to_ms(line.created_at))
        .run();
  }
  sqlite::Query(write.db, "UPDATE members SET accounted = accounted + 1 WHERE conversation = ?1 AND user = ?2",
                conversation.row, line.author.value)
      .run();
  ++conversation.live;
  // The talk was last alive when its last message was written, not when it was brought here.
  conversation.last_activity_at =
      seq_of_key(key) == 1 ? line.created_at : std::max(conversation.last_activity_at, line.created_at);
  write.event(conversation, kMessageCreated, id.value, {key, 1});
  insert_reactions(write, conversation, key, id, line);
  return key;
}

}  // namespace

Result<Committed<ImportSummary>> import_messages(WriteContext& write, const ImportMessages& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  if (auto allowed = may_import(conversation->standing(write.caller), conversation->imported); !allowed) {
    return fail(allowed.error());
  }
  if (auto checked = check_authors(write, command); !checked) return fail(checked.error());
  auto planned = plan(write, *conversation, command);
  if (!planned) return fail(planned.error());
  ImportSummary summary{0, planned->existing, conversation->last_seq};
  if (planned->fresh.empty()) return write.unchanged(std::move(summary));
  if (conversation->last_seq + static_cast<Seq>(planned->fresh.size()) > kMaxSeq) {
    return no_more_messages();
  }
  for (const ImportedMessage* line : planned->fresh) {
    const auto reply_to =
        line->reply_to_external_id ? std::optional(planned->keys.at(*line->reply_to_external_id)) : std::nullopt;
    planned->keys[line->external_id] = insert_imported(write, *conversation, *line, thread_of(write.db, reply_to));
    ++summary.created;
  }
  write.save(*conversation);
  summary.last_seq = conversation->last_seq;
  return write.changed(std::move(summary));
}

}  // namespace parley::messaging
