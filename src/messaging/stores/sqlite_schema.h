// The tables of messaging in SQLite, as forward-only migrations, and the arithmetic of their keys.
#pragma once
#include <cstdint>
#include <span>

#include "base/check.h"
#include "drivers/sqlite/migrations.h"
#include "messaging/seq_range.h"
#include "messaging/types.h"

namespace parley::messaging {

inline constexpr std::int32_t kMessagingApplicationId = 0x50524c31;  // "PRL1"
std::span<const sqlite::Migration> messaging_migrations();

// A message's key is its conversation's row and its seq in one integer: messages of a conversation lie together in the
// table's own order, and need no index for it.
constexpr std::int64_t message_key(std::int64_t conversation_row, Seq seq) {
  return conversation_row << 32 | seq;
}
constexpr std::int64_t conversation_of_key(std::int64_t key) {
  return key >> 32;
}
constexpr Seq seq_of_key(std::int64_t key) {
  return key & kMaxSeq;
}

}  // namespace parley::messaging
