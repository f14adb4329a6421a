// UpstreamAttachmentAccess: asks messaging, over an upstream, by an internal call (api/messaging.yaml,
// check_attachment). Called on any loop. unavailable, with when to come back, when messaging does not answer as it
// should within kPatience.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "http/upstream.h"
#include "media/file_rights.h"

namespace parley::media {

class UpstreamAttachmentAccess final : public AttachmentAccess {
 public:
  static constexpr std::chrono::milliseconds kPatience{3'000};

  // `authorization` makes the field for a call that is made now; any loop. The clock must outlive this.
  UpstreamAttachmentAccess(std::shared_ptr<http::Upstream> messaging, std::function<std::string()> authorization,
                           const Clock& clock)
      : messaging_(std::move(messaging)), authorization_(std::move(authorization)), clock_(clock) {}

  Task<Result<bool>> shows(Reader reader, FileId file, SteadyTime deadline) override;

 private:
  const std::shared_ptr<http::Upstream> messaging_;
  const std::function<std::string()> authorization_;
  const Clock& clock_;
};

}  // namespace parley::media
