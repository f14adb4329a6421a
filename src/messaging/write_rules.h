// What every store adapter decides in the same way when it writes, and that is no right (those are in rights.h): what a
// command makes of what is there, which faults it has, and in which words. Pure; called inside the transaction that
// acts.
#pragma once
#include <optional>
#include <string>

#include "base/result.h"
#include "messaging/commands.h"
#include "messaging/request_digest.h"

namespace parley::messaging {

// precondition_failed unless `version` is among those the caller accepts.
Result<> check_version(const VersionGuard& guard, Version version);

// A send with what can be worked out before any transaction.
struct PreparedSend {
  explicit PreparedSend(const Caller& caller, SendMessage command);

  SendMessage command;
  Digest request;
  std::optional<Digest> key;
  std::optional<Digest> client_key;
};

// A repeated request that asks for something else, and two keys that were used for different messages.
std::unexpected<Error> key_of_another_request();
std::unexpected<Error> keys_of_different_messages();
// Of what was sent: only_replay met nothing to replay; the last seq there is was given.
std::unexpected<Error> only_replays_now();
std::unexpected<Error> no_more_messages();
std::unexpected<Error> no_such_reply_target();
std::unexpected<Error> message_is_deleted();
std::unexpected<Error> too_many_reactions();
// "/attachments/N" for each place.
std::unexpected<Error> attachments_are_gone(const std::vector<std::size_t>& places);

// The faults of an edit, in the order they are told.
Result<> check_edit(const EditMessage& command, const Message& message);
bool changes_nothing(const EditMessage& command, const Message& message);
void apply(const EditMessage& command, Message& message, WallTime now);
// Leaves the tombstone.
void apply_deletion(Message& message, WallTime now);
// Takes everything out that was said; `deleted_at` and versions are the caller's.
void say_nothing(Message& message);
// What an event of version `version` tells of a message whose content of that version is in place.
void date_back(Message& message, Version version, WallTime event_time);

// Conversations. The key of a pair is the same for both orders, and for no other pair.
std::string pair_key(const UserId& a, const UserId& b);
std::unexpected<Error> conversation_id_is_taken();
bool asks_for_the_same(const CreateConversation& command, const Conversation& existing);
bool touches_only_metadata(const UpdateConversation& command);
bool changes_nothing(const UpdateConversation& command, const Conversation& conversation);
void apply(const UpdateConversation& command, Conversation& conversation, WallTime now);

std::unexpected<Error> member_has_another_role();
std::unexpected<Error> seq_is_above_the_last();
bool changes_nothing(const UpdateUser& command, const User& user);
void apply(const UpdateUser& command, User& user, WallTime now);

// Imports: "/<line>/field".
std::string line_path(const ImportedMessage& line, std::string_view field);
std::unexpected<Error> author_has_signed_in(std::string path);
std::unexpected<Error> no_such_imported_target(const ImportedMessage& line);

}  // namespace parley::messaging
