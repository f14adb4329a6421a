// ImportSource: the port of the formats. A source reads its files once, in order, on one thread (the reader's), holding
// no more than a line, or for Slack a day file, and pushes what it finds into an ImportSink. One sink for all formats.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"

namespace parley::import {

struct ImportConversation {
  ConversationId id;
  std::string name;
  std::string topic;  // empty: none
};

struct ImportReaction {
  std::string reaction;
  std::vector<std::string> users;
};

// One message as the API takes it. `place` ("file:line") names it to the person who reads the report.
struct ImportLine {
  std::string external_id;
  std::string author;
  std::string content;
  WallTime created_at{};
  std::string reply_to;  // external id of the message answered; empty: none
  std::vector<ImportReaction> reactions;
  std::string place;
};

// kByDesign: what the format's rules leave out (joins, empty texts). kFault: what should have been a message and could
// not be; these make the exit code tell.
enum class LeftOut : std::uint8_t { kByDesign, kFault };

class ImportSink {
 public:
  virtual ~ImportSink() = default;
  // Takes a message; may block while the server is slower than the disk. False: the import has failed, stop reading.
  virtual bool message(const ImportConversation& conversation, ImportLine line) = 0;
  // A line (or entry) that becomes no message. `kind` groups it in the summary; `place` and `detail` are shown for
  // faults.
  virtual void left_out(LeftOut why, std::string_view kind, std::string_view place, std::string_view detail) = 0;
  void left_out(std::string_view kind) { left_out(LeftOut::kByDesign, kind, {}, {}); }
  // Something worth telling that is not a line left out: "times moved to now".
  virtual void noted(std::string_view kind) = 0;
  // No more messages of that conversation will come.
  virtual void conversation_done(const ConversationId& id) = 0;
  // A file has been read to its end.
  virtual void file_done() = 0;
  // So many more bytes of the source have been read.
  virtual void advanced(std::uint64_t bytes) = 0;
};

class ImportSource {
 public:
  virtual ~ImportSource() = default;
  // Bytes that read() will tell of through advanced(), for the progress bar.
  virtual std::uint64_t total_bytes() const = 0;
  // kInvalid: the source is not what the format says, or cannot be read further. Faulty lines are not errors.
  virtual Result<> read(ImportSink& sink) = 0;
};

// Limits of the API (api/messaging.yaml, ImportLine), checked before sending so that faults carry their place.
inline constexpr std::size_t kMaxContentBytes = 16 * 1024;
inline constexpr std::size_t kMaxExternalIdBytes = 255;
inline constexpr std::size_t kMaxReactions = 50;
inline constexpr std::size_t kMaxReactionUsers = 100;
inline constexpr std::size_t kMaxReactionBytes = 64;
inline constexpr std::size_t kMaxNameBytes = 256;
inline constexpr std::size_t kMaxTopicBytes = 1024;

// What is wrong with a line that the API would refuse, as a kind for the summary ("text over 16 KiB"); nullopt:
// nothing.
std::optional<std::string_view> fault_of(const ImportLine& line, WallTime now);
// Whether `author` has the form source:name of a valid id.
bool is_valid_author(std::string_view author);

}  // namespace parley::import
