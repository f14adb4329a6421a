#include "search/stores/fts5_document.h"

#include "search/stores/fts5_tokenizer.h"

namespace parley::search {

namespace {

using sqlite::Query;

Document from_row(const Query& row) {
  Document document;
  document.id = row.integer(0);
  document.conversation = row.integer(1);
  document.seq = row.integer(2);
  document.number = document.seq + row.integer(3);
  document.created_ms = (document.id >> kPlaceBits) * 1000 + row.integer(4);
  document.sender = row.integer(5);
  document.flags = row.integer(6);
  document.mentions = row.text(7);
  document.names_at = row.optional_integer(8);
  document.body = row.text(9);
  return document;
}

}  // namespace

std::string Document::entry() const {
  return make_entry(conversation, sender, mentions, flags, body);
}

std::string make_entry(std::int64_t conversation, std::int64_t sender, std::string_view mentions, std::int64_t flags,
                       std::string_view body) {
  std::string entry(1, kTermsMark);
  entry += 'c' + std::to_string(conversation) + " f" + std::to_string(sender) + ' ';
  while (!mentions.empty()) {
    const std::size_t end = std::min(mentions.find(' '), mentions.size() - 1) + 1;
    entry += 'm';
    entry += mentions.substr(0, end);
    mentions.remove_prefix(end);
  }
  if (flags & kHasFile) entry += "hf ";
  if (flags & kHasLink) entry += "hl ";
  if (flags & kHasReaction) entry += "hr ";
  entry += kTextMark;
  entry += body;
  return entry;
}

std::optional<Document> find_document(sqlite::Connection& db, std::int64_t conversation, std::string_view key) {
  Query row(db,
            "SELECT id, conversation, seq, number_ahead, created_ahead, sender, flags, mentions, names_at, body "
            "FROM documents WHERE substr(message, 1, 8) = substr(?2, 1, 8) AND message = ?2 AND conversation = ?1",
            conversation, as_blob(key));
  if (!row.step()) return std::nullopt;
  return from_row(row);
}

std::optional<Document> read_document(sqlite::Connection& db, std::int64_t id) {
  Query row(db,
            "SELECT id, conversation, seq, number_ahead, created_ahead, sender, flags, mentions, names_at, body "
            "FROM documents WHERE id = ?1",
            id);
  if (!row.step()) return std::nullopt;
  return from_row(row);
}

void write_document(sqlite::Connection& db, const Document& document, std::string_view key) {
  const auto mentions = document.mentions.empty() ? std::nullopt : std::optional(document.mentions);
  Query(db,
        "INSERT INTO documents(id, conversation, message, seq, number_ahead, created_ahead, sender, flags, mentions, "
        "names_at, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(id) DO UPDATE SET "
        "conversation = ?2, seq = ?4, number_ahead = ?5, created_ahead = ?6, sender = ?7, flags = ?8, mentions = ?9, "
        "names_at = ?10, "
        "body = ?11",
        document.id, document.conversation, as_blob(key), document.seq, document.number - document.seq,
        document.created_ms - (document.id >> kPlaceBits) * 1000, document.sender, document.flags, mentions,
        document.names_at, as_blob(document.body))
      .run();
}

std::string message_key(const MessageId& id) {
  if (const auto uuid = parse_uuid(id.value)) return {reinterpret_cast<const char*>(uuid->data()), uuid->size()};
  std::string key = id.value + '\0';  // ids have no zero byte
  if (key.size() == UuidBytes{}.size()) key += '\0';
  return key;
}

MessageId message_of_key(sqlite::Blob key) {
  if (key.size() == UuidBytes{}.size()) return MessageId(format_uuid(key));
  std::string text(reinterpret_cast<const char*>(key.data()), key.size());
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return MessageId(std::move(text));
}

sqlite::Blob as_blob(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

}  // namespace parley::search
