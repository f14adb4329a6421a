// The tables of media in SQLite, as forward-only migrations.
#pragma once
#include <cstdint>
#include <span>

#include "drivers/sqlite/migrations.h"

namespace parley::media {

inline constexpr std::int32_t kMediaApplicationId = 0x50524c4d;  // "PRLM"
std::span<const sqlite::Migration> media_migrations();

}  // namespace parley::media
