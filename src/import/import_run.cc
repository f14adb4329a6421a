#include "import/import_run.h"

#include <memory>
#include <unordered_set>
#include <vector>

#include "import/batch.h"
#include "import/send_lanes.h"

namespace parley::import {

namespace {

// What does not depend on whether anything is sent.
class ReportingSink : public ImportSink {
 public:
  explicit ReportingSink(ImportReport& report) : report_(report) {}
  using ImportSink::left_out;
  void left_out(LeftOut why, std::string_view kind, std::string_view place, std::string_view detail) override {
    if (why == LeftOut::kFault) {
      report_.fault(kind, place, detail);
    } else {
      report_.left_out(kind);
    }
  }
  void noted(std::string_view kind) override { report_.noted(kind); }
  void file_done() override { report_.file_read(); }
  void advanced(std::uint64_t bytes) override { report_.bytes_read(bytes); }

 protected:
  ImportReport& report_;
};

class DryRunSink final : public ReportingSink {
 public:
  using ReportingSink::ReportingSink;
  bool message(const ImportConversation& conversation, ImportLine) override {
    report_.message_read();
    // By hash alone: enough to count, and small for any number of them.
    if (seen_.insert(std::hash<ConversationId>()(conversation.id)).second) report_.conversation_opened(true);
    return true;
  }
  void conversation_done(const ConversationId&) override {}

 private:
  std::unordered_set<std::size_t> seen_;
};

class SendingSink final : public ReportingSink {
 public:
  SendingSink(ImportReport& report, SendLanes& lanes) : ReportingSink(report), lanes_(lanes) {}
  bool message(const ImportConversation& conversation, ImportLine line) override {
    report_.message_read();
    auto due = collector_.add(conversation, encode_line(std::move(line)));
    return !due || lanes_.submit(std::move(*due));
  }
  void conversation_done(const ConversationId& id) override {
    // A failure is the next message's to meet.
    if (auto batch = collector_.take(id)) lanes_.submit(std::move(*batch));
  }
  void send_rest() {
    while (auto batch = collector_.take_rest()) {
      if (!lanes_.submit(std::move(*batch))) return;
    }
  }

 private:
  SendLanes& lanes_;
  BatchCollector collector_;
};

}  // namespace

void run_import_from(ImportSource& source, ImportApi* api, ImportReport& report, const Clock& clock, Random& random,
                     const ImportRunOptions& options) {
  report.set_total_bytes(source.total_bytes());
  if (!api) {
    DryRunSink sink(report);
    if (auto done = source.read(sink); !done) report.failed(std::move(done.error()));
    report.finish();
    return;
  }
  OpenedConversations opened;
  std::vector<std::unique_ptr<BatchSender>> senders;
  for (std::size_t i = 0; i < options.jobs; ++i) {
    senders.push_back(std::make_unique<BatchSender>(*api, opened, report, clock, random, options.sender));
  }
  SendLanes lanes(options.jobs, [&](std::size_t lane, Batch batch) {
    auto sent = senders[lane]->send(std::move(batch));
    if (!sent) report.failed(std::move(sent.error()));
    return sent.has_value();
  });
  SendingSink sink(report, lanes);
  // What was read before an unreadable file is still sent: it is whole in itself, and a rerun meets it again.
  auto done = source.read(sink);
  sink.send_rest();
  lanes.finish();
  if (!done) report.failed(std::move(done.error()));
  report.finish();
}

}  // namespace parley::import
