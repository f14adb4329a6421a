// Batches: messages of one conversation, encoded as the API's NDJSON, small enough for one request; and the collector
// that makes them of messages that come in any order of conversations. The reader's thread only.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "import/import_source.h"

namespace parley::import {

// Below the API's limits of 1000 lines and 1 MiB: a request stays short, and a proxy with a lower limit still takes it.
inline constexpr std::size_t kMaxBatchLines = 500;
inline constexpr std::size_t kMaxBatchBytes = 512 * 1024;

struct BatchLine {
  std::string json;   // one line, without its end
  std::string place;  // for reports
};

struct Batch {
  ImportConversation conversation;
  std::vector<BatchLine> lines;
  std::size_t bytes = 0;
};

BatchLine encode_line(ImportLine line);
// The same without a field that a message can do without; nullopt when it has none such.
std::optional<std::string> without_field(const std::string& json, std::string_view field);

// Gathers messages into batches. Those of one conversation come out in the order in which they went in. When all that
// is gathered reaches a limit the largest batch goes, so that even many conversations in turns make batches worth
// sending.
class BatchCollector {
 public:
  static constexpr std::size_t kMaxLines = 20'000;
  static constexpr std::size_t kMaxBytes = 8 * 1024 * 1024;

  // A batch that must go now, if any.
  std::optional<Batch> add(const ImportConversation& conversation, BatchLine line);
  // What is gathered of one conversation; nullopt when nothing is.
  std::optional<Batch> take(const ConversationId& id);
  // What is left, one at a time; nullopt when nothing is.
  std::optional<Batch> take_rest();

 private:
  using Open = std::unordered_map<ConversationId, Batch>;
  Batch take(Open::iterator at);

  Open open_;  // none of them empty
  std::size_t lines_ = 0, bytes_ = 0;
};

}  // namespace parley::import
