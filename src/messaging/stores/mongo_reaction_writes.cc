// Reactions, as jobs of the MongoDB store. Each given reaction is a document; what a message shows of them (how many,
// the first who gave it) stands in the message as well, so that reading messages reads nothing else.
#include <algorithm>
#include <numeric>

#include "messaging/event_data.h"
#include "messaging/stores/mongo_writes.h"

namespace parley::messaging::mongodb {

using mongo::Document;
using mongo::make_document;
using mongo::Uuid;

namespace {

struct Reacting {
  FoundMessage found;
  std::vector<std::int64_t> since;  // of found.row.message.reactions
};

Result<Reacting> find_for_reaction(WriteContext& write, const React& command, Result<> (*may)(const Standing&)) {
  auto found = find_message(write.db, write.caller, command.message_id);
  if (!found) return not_found("message");
  if (auto allowed = may(found->conversation.standing(write.caller)); !allowed) return fail(allowed.error());
  const auto document = write.db.find_one(collection::kMessages, make_document("_id", Uuid{found->row.id}),
                                          {.sort = {}, .fields = make_document("reactions", 1)});
  CHECK(document.has_value());
  return Reacting{std::move(*found), reactions_since(document->view())};
}

ReactionSummary* find_summary(Message& message, const std::string& reaction) {
  const auto at = std::ranges::find(message.reactions, reaction, &ReactionSummary::reaction);
  return at == message.reactions.end() ? nullptr : &*at;
}

bool has_given(mongo::Database& db, const MessageRow& row, const std::string& reaction, const UserId& user) {
  return db.find_one(collection::kReactions, make_document("_id", reaction_id(row.id, reaction, user))).has_value();
}

// The first of those who gave it, and since when it stands there.
std::pair<std::vector<UserId>, std::int64_t> first_givers(mongo::Database& db, const UuidBytes& message,
                                                          const std::string& reaction) {
  std::vector<UserId> users;
  std::int64_t since = 0;
  const auto given =
      db.find(collection::kReactions, make_document("message", Uuid{message}, "reaction", reaction),
              {.sort = make_document("place", 1, "user", 1), .limit = static_cast<std::int64_t>(kReactionUsersShown)});
  for (const Document& one : given) {
    if (users.empty()) since = one.view().integer("place");
    users.emplace_back(one.view().text("user"));
  }
  return {std::move(users), since};
}

std::int64_t next_place(mongo::Database& db, const UuidBytes& message) {
  std::int64_t place = 0;
  const auto rows = db.aggregate(
      collection::kReactions,
      mongo::make_array(
          make_document("$match", make_document("message", Uuid{message})),
          make_document("$group", make_document("_id", mongo::Null(), "place", make_document("$max", "$place")))));
  if (!rows.empty()) place = rows.front().view().integer("place");
  return place + 1;
}

// In the order of who came first, as they are shown.
void put_in_order(Reacting& reacting) {
  auto& reactions = reacting.found.row.message.reactions;
  std::vector<std::size_t> order(reactions.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return std::tie(reacting.since[a], reactions[a].reaction) < std::tie(reacting.since[b], reactions[b].reaction);
  });
  std::vector<ReactionSummary> sorted;
  std::vector<std::int64_t> since;
  for (const std::size_t place : order) {
    sorted.push_back(std::move(reactions[place]));
    since.push_back(reacting.since[place]);
  }
  reactions = std::move(sorted);
  reacting.since = std::move(since);
}

void write_reactions(mongo::Database& db, Reacting& reacting) {
  put_in_order(reacting);
  const MessageRow& row = reacting.found.row;
  const Document change =
      row.message.reactions.empty()
          ? make_document("$unset", make_document("reactions", ""))
          : make_document("$set", make_document("reactions", reactions_array(row.message.reactions, reacting.since)));
  db.update_one(collection::kMessages, make_document("_id", Uuid{row.id}), change);
}

void publish(WriteContext& write, Reacting& reacting, const char* type, const ReactionSummary& summary,
             std::int64_t total) {
  const Message& message = reacting.found.row.message;
  write.event(reacting.found.conversation, type, message.id.value,
              reaction_data(message.id, message.conversation_id, message.seq,
                            {write.caller.user, summary.reaction, summary.count, total}));
  write.save(reacting.found.conversation);
}

}  // namespace

Result<Committed<ReactionSummary>> add_reaction(WriteContext& write, const React& command) {
  auto reacting = find_for_reaction(write, command, may_add_reaction);
  if (!reacting) return fail(reacting.error());
  MessageRow& row = reacting->found.row;
  const UserId& user = write.caller.user;
  if (row.message.deleted_at) return message_is_deleted();
  ReactionSummary* present = find_summary(row.message, command.reaction);
  if (present && has_given(write.db, row, command.reaction, user)) {
    present->mine = true;
    return write.unchanged(std::move(*present));
  }
  if (!present && row.message.reactions.size() >= kMaxReactionKinds) return too_many_reactions();

  const std::int64_t place = next_place(write.db, row.id);
  write.db.insert(collection::kReactions,
                  make_document("_id", reaction_id(row.id, command.reaction, user), "message", Uuid{row.id}, "reaction",
                                command.reaction, "user", user.value, "place", place));
  if (!present) {
    row.message.reactions.push_back({.reaction = command.reaction, .count = 0, .users = {}, .mine = false});
    reacting->since.push_back(place);
    present = &row.message.reactions.back();
  }
  ++present->count;
  if (present->users.size() < kReactionUsersShown) present->users.push_back(user);
  ReactionSummary summary = *present;
  summary.mine = true;
  write_reactions(write.db, *reacting);
  publish(write, *reacting, kReactionAdded, summary, row.reaction_total + 1);
  return write.changed(std::move(summary));
}

Result<Committed<ReactionSummary>> remove_reaction(WriteContext& write, const React& command) {
  auto reacting = find_for_reaction(write, command, may_remove_reaction);
  if (!reacting) return fail(reacting.error());
  MessageRow& row = reacting->found.row;
  ReactionSummary* present = find_summary(row.message, command.reaction);
  if (!present || !has_given(write.db, row, command.reaction, write.caller.user)) {
    return write.unchanged(
        present ? *present : ReactionSummary{.reaction = command.reaction, .count = 0, .users = {}, .mine = false});
  }
  write.db.delete_one(collection::kReactions,
                      make_document("_id", reaction_id(row.id, command.reaction, write.caller.user)));
  auto [users, since] = first_givers(write.db, row.id, command.reaction);
  const auto place = present - row.message.reactions.data();
  --present->count;
  present->users = std::move(users);
  reacting->since[static_cast<std::size_t>(place)] = since;
  ReactionSummary summary = *present;
  if (present->count == 0) {
    row.message.reactions.erase(row.message.reactions.begin() + place);
    reacting->since.erase(reacting->since.begin() + place);
  }
  write_reactions(write.db, *reacting);
  publish(write, *reacting, kReactionRemoved, summary, row.reaction_total - 1);
  return write.changed(std::move(summary));
}

}  // namespace parley::messaging::mongodb
