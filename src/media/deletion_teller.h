// DeletionTeller: tells messaging of deleted files, so that nobody finds messages by their names any more. It follows
// media's own log and keeps its place there, so each deletion is told at least once, whatever was down when it
// happened; while messaging does not answer, the log waits for it. Made and owned by the wiring; driven by a
// ConsumerRunner on one event loop.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "events/consumer_runner.h"
#include "http/upstream.h"

namespace parley::media {

class DeletionTeller final : public events::EventConsumer {
 public:
  static constexpr std::size_t kToldAtOnce = 100;  // files of one tenant

  // `authorization` makes the field for a call that is made now.
  DeletionTeller(std::shared_ptr<http::Upstream> messaging, std::function<std::string()> authorization)
      : messaging_(std::move(messaging)), authorization_(std::move(authorization)) {}

  std::string name() const override { return "messaging"; }
  // fail: unavailable, while messaging does not take it.
  Task<Result<>> deliver(std::vector<events::Event> events, SteadyTime deadline) override;

 private:
  Task<Result<>> tell(TenantId tenant, std::vector<std::string> files, SteadyTime deadline);

  const std::shared_ptr<http::Upstream> messaging_;
  const std::function<std::string()> authorization_;
};

}  // namespace parley::media
