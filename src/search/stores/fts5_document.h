// A message as the FTS5 index keeps it: its row in `documents`, and the entry that `words` indexes for it. Used inside
// one transaction, on the thread that has it.
//
// An id is the second of created_at shifted by kPlaceBits, and a place within the second: rowid order is "newest", and
// small ids make small differences, of which the index mostly consists. Messages beyond a second's places run over
// into later ones; progress.run_over says how far at most.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "drivers/sqlite/connection.h"
#include "search/stores/fts5_schema.h"

namespace parley::search {

inline constexpr std::int64_t kHasFile = 1, kHasLink = 2, kHasReaction = 4;

struct Document {
  std::int64_t id = 0;
  std::int64_t conversation = 0;
  std::int64_t number = 0;
  std::int64_t seq = 0;
  std::int64_t created_ms = 0;
  std::int64_t sender = 0;
  std::int64_t flags = 0;
  std::string mentions;  // numbers of people, each followed by a space
  std::optional<std::int64_t> names_at;
  std::string body;

  std::string entry() const;
};

// Terms of the scope, then the text, as the tokenizer takes them apart.
std::string make_entry(std::int64_t conversation, std::int64_t sender, std::string_view mentions, std::int64_t flags,
                       std::string_view body);

std::optional<Document> find_document(sqlite::Connection& db, std::int64_t conversation, std::string_view key);
std::optional<Document> read_document(sqlite::Connection& db, std::int64_t id);
// Writes the row `document.id`, new or not.
void write_document(sqlite::Connection& db, const Document& document, std::string_view key);

constexpr std::int64_t first_id_of_second(std::int64_t second) {
  return (second > 0 ? second : 0) << kPlaceBits;
}
constexpr std::int64_t second_of_time(std::int64_t at_ms) {
  return at_ms > 0 ? at_ms / 1000 : 0;
}

// As documents and tombstones keep it: 16 bytes of a UUID, any other text as it is.
std::string message_key(const MessageId& id);
MessageId message_of_key(sqlite::Blob key);
sqlite::Blob as_blob(std::string_view bytes);

}  // namespace parley::search
