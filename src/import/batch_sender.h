// BatchSender: one batch at a time to the server, until it is stored or there is a reason why not. Opens the
// conversation first. Asks again after 429, 502, 503, 504 and lost connections, which is safe since the server knows
// messages by their external ids; leaves out lines that the server refuses, and counts them. One sender a thread; the
// memory of opened conversations is shared.
#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "import/batch.h"
#include "import/import_api.h"
#include "import/import_report.h"

namespace parley::import {

// Which conversations were opened, so that each is asked for once; beyond kMax it forgets and asks again. Any thread.
class OpenedConversations {
 public:
  enum class State : std::uint8_t { kUnknown, kOpen, kRefused };
  static constexpr std::size_t kMax = 100'000;

  State state(const ConversationId& id) const;
  void set(const ConversationId& id, State state);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<ConversationId, State> states_;
};

struct SenderOptions {
  std::chrono::seconds retry_for{120};                   // asking again for one request, before the import gives up
  std::function<void(std::chrono::milliseconds)> pause;  // waits; tests advance a clock instead
};

class BatchSender {
 public:
  static constexpr std::chrono::milliseconds kFirstPause{200};
  static constexpr std::chrono::milliseconds kLongestPause{5'000};
  static constexpr std::chrono::seconds kLongestRetryAfter{60};

  // Everything given must outlive the sender.
  BatchSender(ImportApi& api, OpenedConversations& opened, ImportReport& report, const Clock& clock, Random& random,
              SenderOptions options);

  // An error ends the import: no server, no right, no room. Refused lines and conversations are no errors.
  Result<> send(Batch batch);

 private:
  Result<OpenedConversations::State> open(const ImportConversation& conversation);
  // Whether the conversation that is there already is one of an import, ours or one we may add to.
  Result<bool> is_imported(const ImportConversation& conversation, std::string& why_not);
  Result<> store(Batch& batch);
  // A 400: takes out of `batch` what the answer names. False when it names nothing.
  bool leave_out_refused(Batch& batch, const ApiAnswer& answer);
  Result<ApiAnswer> ask(http::Method method, std::string_view path, std::string_view content_type,
                        std::string_view body);

  ImportApi& api_;
  OpenedConversations& opened_;
  ImportReport& report_;
  const Clock& clock_;
  Random& random_;
  const SenderOptions options_;
};

}  // namespace parley::import
