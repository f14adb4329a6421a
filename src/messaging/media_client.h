// MediaClient: AttachedFiles by media's POST /internal/files, under an internal token: one question for a message, and
// none for a message without attachments.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "base/clock.h"
#include "http/upstream.h"
#include "messaging/attached_files.h"

namespace parley::messaging {

class MediaClient final : public AttachedFiles {
 public:
  static constexpr std::chrono::milliseconds kPatience{3'000};

  // `media` and `clock` must outlive this. `authorization` gives the Authorization field that media takes now; it is
  // called on any loop.
  MediaClient(http::Upstream& media, std::function<std::string()> authorization, const Clock& clock)
      : media_(media), authorization_(std::move(authorization)), clock_(clock) {}

  Task<Result<std::vector<AttachedFile>>> readable(Caller caller, std::vector<FileId> files, RequestTrace trace,
                                                   SteadyTime deadline) override;

 private:
  http::Upstream& media_;
  const std::function<std::string()> authorization_;
  const Clock& clock_;
};

}  // namespace parley::messaging
