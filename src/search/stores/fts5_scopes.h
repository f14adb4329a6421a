// Which conversation each document is of, packed. A common word brings thousands of documents of which few may be read,
// and a look at the row of each is what such a search costs (measured, five candidates to a hit: 7.5 ms of 9 for "the",
// 15 of 17 for a phrase). Here 256 documents are one row of 1.5 KB, which is searched as it is.
//
// It follows `documents` in the same transaction, and is a first sieve only: whoever passes it is asked for its row.
#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "drivers/sqlite/connection.h"

namespace parley::search {

// A row of document_scopes: documents with an id from `first` on, below the next row's.
struct ScopeBlock {
  std::int64_t first = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> entries;  // document, conversation; ascending
};

// The same as the table keeps it: a byte that says how many bytes a conversation's number takes; of each document how
// far its id is from `first`, in 4 bytes; the conversation of each. Little endian.
class PackedScopes {
 public:
  PackedScopes() = default;
  explicit PackedScopes(const ScopeBlock& block);
  PackedScopes(std::int64_t first, sqlite::Blob bytes);

  std::size_t size() const { return count_; }
  std::int64_t first() const { return first_; }
  std::int64_t document(std::size_t at) const;
  std::int64_t conversation(std::size_t at) const;
  // 0 when there is none.
  std::int64_t conversation_of(std::int64_t document) const;
  sqlite::Blob bytes() const { return bytes_; }

 private:
  std::int64_t first_ = 0;
  std::size_t width_ = 1, count_ = 0;
  std::vector<std::uint8_t> bytes_;
};

// For one transaction on the writer's thread. Cheap when ids ascend; write() at the end.
class ScopeWriter {
 public:
  explicit ScopeWriter(sqlite::Connection& db) : db_(db) {}

  void put(std::int64_t document, std::int64_t conversation);
  void remove(std::int64_t document);
  void write();

 private:
  void turn_to(std::int64_t document);

  sqlite::Connection& db_;
  ScopeBlock block_;
  std::int64_t beyond_ = 0;  // where the next row begins; 0: no row is held
  bool stored_ = false;      // the table has this row
  bool changed_ = false;
};

// For one snapshot on a reader's thread. Cheap when ids are near each other.
class ScopeReader {
 public:
  explicit ScopeReader(sqlite::Connection& db) : db_(db) {}

  // 0 when it is not known.
  std::int64_t conversation_of(std::int64_t document);

 private:
  sqlite::Connection& db_;
  PackedScopes block_;
};

// Whether a search looks at every document: for `parley check`.
bool scopes_are_whole(sqlite::Connection& db);

// For an index that was written before there was such a table.
void fill_missing_scopes(sqlite::Connection& db);

}  // namespace parley::search
