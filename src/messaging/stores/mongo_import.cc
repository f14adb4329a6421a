// The bulk import, as one job of the MongoDB store: a batch is checked whole before its first document is written, and
// written with a few commands, whatever its size.
#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "messaging/event_data.h"
#include "messaging/seq_range.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

Result<> check_authors(WriteContext& write, const ImportMessages& command) {
  std::vector<UserId> users;
  for (const auto& line : command.messages) {
    users.push_back(line.author);
    for (const auto& reaction : line.reactions) std::ranges::copy(reaction.users, std::back_inserter(users));
  }
  std::unordered_set<std::string> signed_in;
  for (const Document& row :
       write.db.find(collection::kUsers, make_document("_id", among(tenant_keys(write.caller.tenant, users))),
                     {.sort = {}, .fields = make_document("_id", 1)})) {
    signed_in.emplace(id_of_tenant_key(row.view().text("_id")));
  }
  if (signed_in.empty()) return {};
  for (const auto& line : command.messages) {
    if (signed_in.contains(line.author.value)) return author_has_signed_in(line_path(line, "author"));
    for (std::size_t i = 0; i < line.reactions.size(); ++i) {
      for (std::size_t j = 0; j < line.reactions[i].users.size(); ++j) {
        if (!signed_in.contains(line.reactions[i].users[j].value)) continue;
        return author_has_signed_in(line_path(line, "reactions/") + std::to_string(i) + "/users/" + std::to_string(j));
      }
    }
  }
  return {};
}

using IdsByExternal = std::unordered_map<std::string, UuidBytes>;

IdsByExternal find_imported(mongo::Database& db, const ConversationKey& conversation, const ImportMessages& command) {
  mongo::Array ids;
  for (const auto& line : command.messages) {
    ids.add(import_id(conversation, line.external_id));
    if (line.reply_to_external_id) ids.add(import_id(conversation, *line.reply_to_external_id));
  }
  IdsByExternal found;
  for (const Document& row : db.find(collection::kImportIds, make_document("_id", among(ids)))) {
    found.emplace(row.view().document("_id").text("external_id"), uuid_of(row.view().bytes("message")));
  }
  return found;
}

struct NewLine {
  const ImportedMessage* line;
  MessageRow row;
};

// Everything that the batch will write, worked out before anything is written.
struct Plan {
  std::vector<NewLine> fresh;
  std::int64_t existing = 0;
};

Result<Plan> plan(WriteContext& write, const ConversationRow& conversation, const ImportMessages& command) {
  Plan out;
  IdsByExternal known = find_imported(write.db, conversation.key, command);
  for (const auto& line : command.messages) {
    if (line.reply_to_external_id && !known.contains(*line.reply_to_external_id)) return no_such_imported_target(line);
    if (known.contains(line.external_id)) {
      ++out.existing;
      continue;
    }
    NewLine fresh{&line, {}};
    fresh.row.id = write.ids.next(write.now);
    known.emplace(line.external_id, fresh.row.id);
    if (line.reply_to_external_id) {
      fresh.row.message.reply_to = MessageId(format_uuid(known.at(*line.reply_to_external_id)));
    }
    out.fresh.push_back(std::move(fresh));
  }
  return out;
}

// The roots of threads that messages stand in which were there before the batch.
std::map<UuidBytes, UuidBytes> find_roots(mongo::Database& db, const Plan& planned) {
  mongo::Array ids;
  for (const NewLine& fresh : planned.fresh) {
    if (fresh.row.message.reply_to) ids.add(Uuid{*parse_uuid(fresh.row.message.reply_to->value)});
  }
  std::map<UuidBytes, UuidBytes> roots;
  if (ids.size() == 0) return roots;
  for (const Document& row : db.find(collection::kMessages, make_document("_id", among(ids)),
                                     {.sort = {}, .fields = make_document("thread_root", 1)})) {
    const UuidBytes id = uuid_of(row.view().bytes("_id"));
    roots.emplace(id, row.view().has("thread_root") ? uuid_of(row.view().bytes("thread_root")) : id);
  }
  return roots;
}

struct Replies {
  std::int64_t count = 0;
  WallTime last{};
};

// Puts replies into their threads and counts them: at fresh roots at once, at others by what it answers.
std::map<UuidBytes, Replies> thread_replies(mongo::Database& db, Plan& planned) {
  std::map<UuidBytes, UuidBytes> roots = find_roots(db, planned);
  std::map<UuidBytes, MessageRow*> fresh_rows;
  std::map<UuidBytes, Replies> elsewhere;
  for (NewLine& fresh : planned.fresh) {
    MessageRow& row = fresh.row;
    fresh_rows.emplace(row.id, &row);
    if (!row.message.reply_to) {
      roots.emplace(row.id, row.id);
      continue;
    }
    const UuidBytes root = roots.at(*parse_uuid(row.message.reply_to->value));
    roots.emplace(row.id, root);
    row.thread_root = root;
    if (const auto at = fresh_rows.find(root); at != fresh_rows.end()) {
      ++at->second->message.reply_count;
      at->second->message.last_reply_at = fresh.line->created_at;
    } else {
      Replies& replies = elsewhere[root];
      ++replies.count;
      replies.last = fresh.line->created_at;
    }
  }
  return elsewhere;
}

struct Reactions {
  std::vector<ReactionSummary> shown;
  std::vector<std::int64_t> since;
  std::int64_t total = 0;
};

Reactions add_reactions(WriteContext& write, ConversationRow& conversation, const NewLine& fresh,
                        std::vector<Document>& documents) {
  Reactions out;
  const MessageRow& row = fresh.row;
  std::unordered_set<std::string> given;
  for (const auto& [reaction, users] : fresh.line->reactions) {
    for (const UserId& user : users) {
      if (!given.insert(reaction + '\0' + user.value).second) continue;
      ++out.total;
      auto at = std::ranges::find(out.shown, reaction, &ReactionSummary::reaction);
      if (at == out.shown.end()) {
        out.shown.push_back({.reaction = reaction, .count = 0, .users = {}, .mine = false});
        out.since.push_back(out.total);
        at = std::prev(out.shown.end());
      }
      ++at->count;
      if (at->users.size() < kReactionUsersShown) at->users.push_back(user);
      documents.push_back(make_document("_id", reaction_id(row.id, reaction, user), "message", Uuid{row.id}, "reaction",
                                        reaction, "user", user.value, "place", out.total));
      write.event(
          conversation, kReactionAdded, row.message.id.value,
          reaction_data(row.message.id, conversation.view.id, row.message.seq, {user, reaction, at->count, out.total}));
    }
  }
  return out;
}

void fill_in(MessageRow& row, ConversationRow& conversation, const ImportedMessage& line) {
  row.conversation = conversation.key;
  Message& message = row.message;
  message.id = MessageId(format_uuid(row.id));
  message.seq = ++conversation.view.last_seq;
  message.sender_id = line.author;
  message.content = line.content;
  message.created_at = line.created_at;
  message.imported = true;
  ++conversation.live;
  // The talk was last alive when its last message was written, not when it was brought here.
  conversation.view.last_activity_at =
      message.seq == 1 ? line.created_at : std::max(conversation.view.last_activity_at, line.created_at);
}

void insert_all(WriteContext& write, ConversationRow& conversation, Plan& planned) {
  const auto replies_elsewhere = thread_replies(write.db, planned);
  std::vector<Document> messages;
  std::vector<Document> import_ids;
  std::vector<Document> reactions;
  std::map<std::string, std::int64_t> by_author;
  for (NewLine& fresh : planned.fresh) {
    fill_in(fresh.row, conversation, *fresh.line);
    ++by_author[fresh.line->author.value];
    write.event(conversation, kMessageCreated, fresh.row.id, 1);
    const Reactions given = add_reactions(write, conversation, fresh, reactions);
    messages.push_back(message_document(fresh.row, write.caller.tenant));
    if (given.total > 0) messages.back().add("reactions", reactions_array(given.shown, given.since));
    import_ids.push_back(make_document("_id", import_id(conversation.key, fresh.line->external_id), "conversation",
                                       Uuid{conversation.key}, "message", Uuid{fresh.row.id}));
  }
  write.db.insert(collection::kMessages, messages);
  write.db.insert(collection::kImportIds, import_ids);
  write.db.insert(collection::kReactions, reactions);
  for (const auto& [root, replies] : replies_elsewhere) {
    write.db.update_one(collection::kMessages, make_document("_id", Uuid{root}),
                        make_document("$inc", make_document("reply_count", replies.count), "$set",
                                      make_document("last_reply_at", replies.last)));
  }
  for (const auto& [author, count] : by_author) count_own(write.db, conversation.key, UserId(author), count);
}

}  // namespace

Result<Committed<ImportSummary>> import_messages(WriteContext& write, const ImportMessages& command) {
  auto conversation = find_conversation(write.db, write.caller, command.conversation_id);
  if (!conversation) return not_found("conversation");
  if (auto allowed = may_import(conversation->standing(write.caller), conversation->view.imported); !allowed) {
    return fail(allowed.error());
  }
  if (auto checked = check_authors(write, command); !checked) return fail(checked.error());
  auto planned = plan(write, *conversation, command);
  if (!planned) return fail(planned.error());
  ImportSummary summary{0, planned->existing, conversation->view.last_seq};
  if (planned->fresh.empty()) return write.unchanged(std::move(summary));
  summary.created = static_cast<std::int64_t>(planned->fresh.size());
  if (conversation->view.last_seq + summary.created > kMaxSeq) return no_more_messages();
  insert_all(write, *conversation, *planned);
  write.save(*conversation);
  summary.last_seq = conversation->view.last_seq;
  return write.changed(std::move(summary));
}

}  // namespace parley::messaging::mongodb
