// StoreScan: reads all that messaging holds of a tenant, past membership, in a stable order and in bounded pages: for
// reindex and check, never behind a user's route. UpstreamStoreScan asks messaging's /internal/scan routes with a token
// made from INTERNAL_KEY. Called on any event loop; fail: unavailable, not_found (of a conversation that is gone),
// deadline_exceeded, internal (an answer that is none).
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "http/upstream.h"
#include "search/event_mapping.h"

namespace parley::search {

template <class T>
struct ScanPage {
  std::vector<T> items;
  std::optional<std::string> next;  // what to ask with for the page after; none: this was the last
};
struct ScannedConversation {
  ConversationId id;
  std::int64_t last_seq = 0;
  ConversationWritten entry;
};
struct ScannedMessage {
  std::int64_t seq = 0;
  StoredMessage what;
};

class StoreScan {
 public:
  using After = std::optional<std::string>;

  virtual ~StoreScan() = default;
  virtual Task<Result<ScanPage<TenantId>>> tenants(After after, std::size_t limit, SteadyTime deadline) = 0;
  virtual Task<Result<ScanPage<UserWritten>>> users(TenantId tenant, After after, std::size_t limit,
                                                    SteadyTime deadline) = 0;
  // By id, bytes ascending; deleted ones are left out.
  virtual Task<Result<ScanPage<ScannedConversation>>> conversations(TenantId tenant, After after, std::size_t limit,
                                                                    SteadyTime deadline) = 0;
  // By seq, with tombstones.
  virtual Task<Result<ScanPage<ScannedMessage>>> messages(TenantId tenant, ConversationId conversation, After after,
                                                          std::size_t limit, SteadyTime deadline) = 0;
};

class UpstreamStoreScan final : public StoreScan {
 public:
  // Both must outlive this. `authorization` gives the Authorization field that messaging takes now; it is called
  // on any loop.
  UpstreamStoreScan(http::Upstream& messaging, std::function<std::string()> authorization);

  Task<Result<ScanPage<TenantId>>> tenants(After after, std::size_t limit, SteadyTime deadline) override;
  Task<Result<ScanPage<UserWritten>>> users(TenantId tenant, After after, std::size_t limit,
                                            SteadyTime deadline) override;
  Task<Result<ScanPage<ScannedConversation>>> conversations(TenantId tenant, After after, std::size_t limit,
                                                            SteadyTime deadline) override;
  Task<Result<ScanPage<ScannedMessage>>> messages(TenantId tenant, ConversationId conversation, After after,
                                                  std::size_t limit, SteadyTime deadline) override;

 private:
  template <class T>
  Task<Result<ScanPage<T>>> page(std::string target, std::optional<T> (*read)(const boost::json::value&),
                                 SteadyTime deadline);

  http::Upstream& messaging_;
  const std::function<std::string()> authorization_;
};

}  // namespace parley::search
