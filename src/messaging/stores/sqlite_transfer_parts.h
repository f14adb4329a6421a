// What the two files of SqliteTransfer share.
#pragma once
#include "drivers/sqlite/connection.h"
#include "messaging/transfer/store_transfer.h"

namespace parley::messaging {

inline constexpr int kDeletedByColumn = 20;  // behind PARLEY_MESSAGE_COLUMNS
inline constexpr std::uint8_t kBelowAll[1] = {0};

std::optional<std::int64_t> find_row(sqlite::Connection& db, const transfer::ConversationName& conversation);

}  // namespace parley::messaging
