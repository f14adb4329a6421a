// The writing half of the FTS5 index: one batch inside one transaction, on the writer's thread.
#pragma once
#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "search/search_index.h"

namespace parley::search {

Result<ApplyOutcome> apply_batch(sqlite::Connection& db, const ChangeBatch& batch);

// As documents and tombstones keep it: 16 bytes of a UUID, any other text as it is.
std::string message_key(const MessageId& id);
MessageId message_of_key(sqlite::Blob key);

inline constexpr int kIdBitsInSecond = 16;

}  // namespace parley::search
