// `--format jsonl`: a file of JSON objects, one a line, each a message (docs/import.md), or a folder of such files. A
// line that is no such object is left out with its number; the rest goes on. One thread reads.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "import/import_source.h"
#include "import/source_files.h"

namespace parley::import {

struct JsonlMessage {
  ImportConversation conversation;
  ImportLine line;
};

// What is wrong with a line, for a person.
struct JsonlFault {
  std::string message;
};

// `place` becomes the external id if the line has none.
std::variant<JsonlMessage, JsonlFault> parse_jsonl_line(std::string_view text, std::string_view place,
                                                        std::string_view conversation_prefix, WallTime now);

class JsonlSource final : public ImportSource {
 public:
  // `clock` must outlive the source.
  JsonlSource(std::vector<SourceFile> files, std::string conversation_prefix, const Clock& clock);

  std::uint64_t total_bytes() const override { return total_size(files_); }
  Result<> read(ImportSink& sink) override;

 private:
  const std::vector<SourceFile> files_;
  const std::string conversation_prefix_;
  const Clock& clock_;
};

}  // namespace parley::import
