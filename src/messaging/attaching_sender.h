// Sending with files: before a message that attaches some is stored, media is asked whether the sender may read each. A
// message without any asks nobody. What was sent before is answered to its key again, whatever has become of its files
// or of media since.
#pragma once
#include <vector>

#include "messaging/attached_files.h"
#include "messaging/messaging_store.h"

namespace parley::messaging {

class AttachingSender {
 public:
  // Both must outlive this; `files` null: there is no media to ask, and attachments are refused.
  AttachingSender(MessagingStore& store, AttachedFiles* files) : store_(store), files_(files) {}

  // fail: what MessagingStore::send_message says; invalid attachments_unavailable without media, "/attachments/N" for
  // each that the sender cannot read; kFilesUnavailable while media does not answer.
  Task<Result<Written<Message>>> send(std::shared_ptr<const Caller> caller, SendMessage command, RequestTrace trace,
                                      SteadyTime deadline);

 private:
  Task<Result<std::vector<AttachedFile>>> look_up(Caller caller, std::vector<FileId> files, RequestTrace trace,
                                                  SteadyTime deadline);

  MessagingStore& store_;
  AttachedFiles* const files_;
};

}  // namespace parley::messaging
