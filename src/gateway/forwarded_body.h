// ForwardedBody: a client's body on its way to an upstream. Knows whether the client is what an upstream call waits for
// or failed on (then the upstream is not to blame), and can hold a small body whole, so that a request can be sent
// again. Lives as long as the request it belongs to, on that request's loop.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace parley::gateway {

class ForwardedBody final : public http::Body {
 public:
  // The largest body that is held (promise 3 of the design).
  static constexpr std::uint64_t kMaxHeldBytes = 64 * 1024;

  // Both must outlive this.
  ForwardedBody(http::Body& client, const Clock& clock) : client_(client), clock_(clock) {}

  // Reads all of the client's body. Only for a known size of at most kMaxHeldBytes; the client's own error otherwise.
  Task<Result<>> hold();
  bool held() const { return held_; }
  // The next read() begins at the front again. Only when held.
  void rewind();

  // The client's body failed, or is being waited for.
  bool client_at_fault() const { return failed_ || waiting_; }

  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const override { return client_.size(); }
  bool awaits_continue() const override { return !held_ && client_.awaits_continue(); }
  // Not counting hold(): that was before the upstream was asked.
  SteadyTime::duration waited() const override { return waited_; }
  void interrupt() override { client_.interrupt(); }

 private:
  http::Body& client_;
  const Clock& clock_;
  SteadyTime::duration waited_{};
  bool held_ = false;
  bool failed_ = false;
  bool waiting_ = false;
  std::string copy_;        // of a held body that came in several pieces
  std::string_view whole_;  // a held body: copy_, or where the client's body keeps its only piece
  std::string_view unread_;
};

}  // namespace parley::gateway
