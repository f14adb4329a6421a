#include "messaging/attaching_sender.h"

#include <algorithm>

namespace parley::messaging {

namespace {

std::unexpected<Error> no_media() {
  return fail(Error{ErrorKind::kInvalid,
                    "attachments_unavailable",
                    "This server stores no files.",
                    {{"/attachments", "must be empty: this server stores no files"}},
                    {}});
}

// Those that media did not tell of: unknown, deleted, of another tenant or not the sender's to read.
std::vector<FieldError> missing(const std::vector<FileId>& wanted, const std::vector<AttachedFile>& found) {
  std::vector<FieldError> missing;
  for (std::size_t place = 0; place < wanted.size(); ++place) {
    if (std::ranges::find(found, wanted[place], &AttachedFile::id) != found.end()) continue;
    missing.push_back({"/attachments/" + std::to_string(place), "names no file that you can read"});
  }
  return missing;
}

}  // namespace

Task<Result<std::vector<AttachedFile>>> AttachingSender::look_up(Caller caller, std::vector<FileId> files,
                                                                 RequestTrace trace, SteadyTime deadline) {
  if (files_ == nullptr) co_return no_media();
  auto found = co_await files_->readable(std::move(caller), files, std::move(trace), deadline);
  if (!found) co_return fail(std::move(found.error()));
  if (auto faults = missing(files, *found); !faults.empty()) {
    co_return fail(Error{
        ErrorKind::kInvalid, "validation_failed", "The message attaches what cannot be read.", std::move(faults), {}});
  }
  co_return std::move(*found);
}

Task<Result<Written<Message>>> AttachingSender::send(std::shared_ptr<const Caller> caller, SendMessage command,
                                                     RequestTrace trace, SteadyTime deadline) {
  if (command.attachments.empty() || command.only_replay) {
    co_return co_await store_.send_message(*caller, std::move(command), deadline);
  }
  auto found = co_await look_up(*caller, command.attachments, std::move(trace), deadline);
  if (found) {
    command.files = std::move(*found);
    co_return co_await store_.send_message(*caller, std::move(command), deadline);
  }
  if (!may_be_replay(command)) co_return fail(std::move(found.error()));
  command.only_replay = true;
  auto written = co_await store_.send_message(*caller, std::move(command), deadline);
  const bool was_new = !written && written.error().kind == ErrorKind::kRateLimited;
  if (was_new) co_return fail(std::move(found.error()));
  co_return written;
}

}  // namespace parley::messaging
