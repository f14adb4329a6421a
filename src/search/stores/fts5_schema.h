// The tables of DIR/search/search.db. Needs register_fts5_parts() on the connection.
#pragma once
#include <cstdint>
#include <span>

#include "drivers/sqlite/migrations.h"

namespace parley::search {

inline constexpr const char* kSearchDatabase = "search.db";
inline constexpr std::int32_t kSearchApplicationId = 0x50415253;  // "PARS"

// documents.id is a second of created_at and a place within it; see fts5_document.h.
inline constexpr int kPlaceBits = 8;

std::span<const sqlite::Migration> search_migrations();

// A table with the options of `words`, which is to take its place.
inline constexpr const char* kNewWords =
    "CREATE VIRTUAL TABLE words_anew USING fts5("
    "entry, content='entries', content_rowid='id', tokenize='parley', columnsize=0)";

}  // namespace parley::search
