// The entries of conversations and people beside the messages: what they are called, and who may find them by it. The
// writing half runs inside a batch's transaction on the writer's thread and answers whether the change won; the reading
// half inside one snapshot on a reader's thread, out of the generation that serves. Conversations are looked for one by
// one among those of the scope, people in a table of all spellings and words of their generation, in its order: no
// question reads more than kMaxDirectoryRows of it.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

inline constexpr std::size_t kMaxDirectoryRows = 4000;
inline constexpr std::size_t kMaxNamedIds = 100;  // people or conversations of one name

// `conversation` is its number, which belongs to a generation.
bool write_conversation_entry(sqlite::Connection& db, std::int64_t conversation, std::int64_t number,
                              const ConversationWritten& entry);
// The erasure with `number` has given the conversation a new number, `renewed`; an entry that is newer goes with it.
void renew_conversation_entry(sqlite::Connection& db, std::int64_t conversation, std::int64_t renewed,
                              std::int64_t number);
void erase_conversation_entry(sqlite::Connection& db, std::int64_t conversation);
bool write_user_entry(sqlite::Connection& db, std::int64_t generation, std::int64_t number, const UserWritten& entry);
// Deletes at most `most` people of a generation; how many.
std::int64_t sweep_user_entries(sqlite::Connection& db, std::int64_t generation, std::size_t most);

Result<DirectoryPage> conversations_page(sqlite::Connection& db, const DirectoryRequest& request);
Result<DirectoryPage> users_page(sqlite::Connection& db, const DirectoryRequest& request);
Result<NamedIds> named_ids(sqlite::Connection& db, const NamesRequest& request);

// For suggestions: names that begin with, or have words that begin with, what was typed; the best first.
std::vector<Suggestion> suggest_conversations(sqlite::Connection& db, const SearchScope& scope,
                                              const std::string& typed, std::size_t most);
std::vector<Suggestion> suggest_users(sqlite::Connection& db, const TenantId& tenant, const std::string& typed,
                                      std::size_t most);

}  // namespace parley::search
