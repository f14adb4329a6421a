#include "search/stores/fts5_scopes.h"

#include <algorithm>
#include <optional>

namespace parley::search {

namespace {

using sqlite::Query;

constexpr std::size_t kMostEntries = 256;
constexpr std::size_t kOffsetBytes = 4;
constexpr std::int64_t kMostOffset = 0xffff'ffff;

void append_number(std::vector<std::uint8_t>& to, std::int64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) to.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

std::int64_t number_at(const std::uint8_t* from, std::size_t bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes; ++i) number |= static_cast<std::uint64_t>(from[i]) << (8 * i);
  return static_cast<std::int64_t>(number);
}

// The row that a document's entry is or would be in.
std::optional<PackedScopes> read_block(sqlite::Connection& db, std::int64_t document) {
  Query row(db, "SELECT first, packed FROM document_scopes WHERE first <= ?1 ORDER BY first DESC LIMIT 1", document);
  if (!row.step()) return std::nullopt;
  return PackedScopes(row.integer(0), row.blob(1));
}

void store(sqlite::Connection& db, const ScopeBlock& block) {
  const PackedScopes packed(block);
  Query(db, "INSERT INTO document_scopes(first, packed) VALUES(?1, ?2) ON CONFLICT(first) DO UPDATE SET packed = ?2",
        block.first, packed.bytes())
      .run();
}

auto place_of(auto& entries, std::int64_t document) {
  return std::ranges::lower_bound(entries, document, {}, [](const auto& entry) { return entry.first; });
}

}  // namespace

PackedScopes::PackedScopes(const ScopeBlock& block) : first_(block.first), count_(block.entries.size()) {
  std::int64_t largest = 0;
  for (const auto& [document, conversation] : block.entries) largest = std::max(largest, conversation);
  while (width_ < sizeof largest && largest >> (8 * width_) != 0) ++width_;
  bytes_.reserve(1 + count_ * (kOffsetBytes + width_));
  bytes_.push_back(static_cast<std::uint8_t>(width_));
  for (const auto& [document, conversation] : block.entries) append_number(bytes_, document - first_, kOffsetBytes);
  for (const auto& [document, conversation] : block.entries) append_number(bytes_, conversation, width_);
}

PackedScopes::PackedScopes(std::int64_t first, sqlite::Blob bytes) : first_(first), bytes_(bytes.begin(), bytes.end()) {
  if (bytes_.empty() || bytes_[0] < 1 || bytes_[0] > sizeof first) return;
  width_ = bytes_[0];
  count_ = (bytes_.size() - 1) / (kOffsetBytes + width_);
}

std::int64_t PackedScopes::document(std::size_t at) const {
  return first_ + number_at(bytes_.data() + 1 + at * kOffsetBytes, kOffsetBytes);
}

std::int64_t PackedScopes::conversation(std::size_t at) const {
  return number_at(bytes_.data() + 1 + count_ * kOffsetBytes + at * width_, width_);
}

std::int64_t PackedScopes::conversation_of(std::int64_t document_id) const {
  std::size_t begin = 0, end = count_;
  while (begin < end) {
    const std::size_t middle = (begin + end) / 2;
    document(middle) < document_id ? begin = middle + 1 : end = middle;
  }
  return begin < count_ && document(begin) == document_id ? conversation(begin) : 0;
}

void ScopeWriter::put(std::int64_t document, std::int64_t conversation) {
  turn_to(document);
  const auto at = place_of(block_.entries, document);
  if (at != block_.entries.end() && at->first == document) {
    changed_ |= at->second != conversation;
    at->second = conversation;
  } else {
    block_.entries.emplace(at, document, conversation);
    changed_ = true;
  }
}

void ScopeWriter::remove(std::int64_t document) {
  turn_to(document);
  const auto at = place_of(block_.entries, document);
  if (at == block_.entries.end() || at->first != document) return;
  block_.entries.erase(at);
  changed_ = true;
}

void ScopeWriter::turn_to(std::int64_t document) {
  // The last row takes what comes behind it; it is cut before it grows much.
  const bool within = document >= block_.first && document < beyond_ && document - block_.first <= kMostOffset;
  if (within && block_.entries.size() < 2 * kMostEntries) return;
  write();
  const auto present = read_block(db_, document);
  stored_ = present && document - present->first() <= kMostOffset;
  block_ = {stored_ ? present->first() : document, {}};
  for (std::size_t at = 0; stored_ && at < present->size(); ++at) {
    block_.entries.emplace_back(present->document(at), present->conversation(at));
  }
  Query next(db_, "SELECT min(first) FROM document_scopes WHERE first > ?1", document);
  next.step();
  beyond_ = next.optional_integer(0).value_or(INT64_MAX);
}

void ScopeWriter::write() {
  if (std::exchange(changed_, false)) {
    if (block_.entries.empty()) {
      if (stored_) Query(db_, "DELETE FROM document_scopes WHERE first = ?1", block_.first).run();
    } else {
      // Rows that are done with are full; one in the middle may get more.
      const bool is_last = beyond_ == INT64_MAX;
      while (block_.entries.size() > kMostEntries) {
        const auto cut =
            block_.entries.begin() + static_cast<std::ptrdiff_t>(is_last ? kMostEntries : block_.entries.size() / 2);
        ScopeBlock rest{cut->first, {cut, block_.entries.end()}};
        block_.entries.erase(cut, block_.entries.end());
        store(db_, std::exchange(block_, std::move(rest)));
      }
      store(db_, block_);
    }
  }
  beyond_ = 0;
}

std::int64_t ScopeReader::conversation_of(std::int64_t document) {
  if (block_.size() == 0 || document < block_.first() || document > block_.document(block_.size() - 1)) {
    auto found = read_block(db_, document);
    if (!found) return 0;
    block_ = std::move(*found);
  }
  return block_.conversation_of(document);
}

bool scopes_are_whole(sqlite::Connection& db) {
  ScopeReader scopes(db);
  Query rows(db, "SELECT id, conversation FROM documents ORDER BY id");
  while (rows.step()) {
    if (scopes.conversation_of(rows.integer(0)) != rows.integer(1)) return false;
  }
  return true;
}

void fill_missing_scopes(sqlite::Connection& db) {
  if (db.query_int("SELECT EXISTS(SELECT 1 FROM document_scopes) OR NOT EXISTS(SELECT 1 FROM documents)") != 0) return;
  db.exec("BEGIN IMMEDIATE");
  try {
    ScopeWriter scopes(db);
    Query rows(db, "SELECT id, conversation FROM documents ORDER BY id");
    while (rows.step()) scopes.put(rows.integer(0), rows.integer(1));
    scopes.write();
    db.exec("COMMIT");
  } catch (...) {
    if (db.in_transaction()) db.exec("ROLLBACK");
    throw;
  }
}

}  // namespace parley::search
