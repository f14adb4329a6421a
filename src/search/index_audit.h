// IndexAudit: compares the index with the store, message by message, beside live traffic: what differs is looked at
// again after the index has caught up with the log's head, and only what differs each time is a difference. Made and
// owned by the wiring; called on any event loop, holds one page of each side at a time.
#pragma once
#include <deque>
#include <map>
#include <optional>

#include "events/event_log.h"
#include "search/index_check.h"
#include "search/index_progress.h"
#include "search/reindex_control.h"
#include "search/search_index.h"
#include "search/store_scan.h"

namespace parley::search {

class IndexAudit final : public IndexCheck {
 public:
  struct Settings {
    std::size_t page = 500;  // messages or conversations read at once
    int looks = 4;           // at what differs
    std::chrono::milliseconds step_timeout{10'000};
  };
  // All must outlive this.
  struct Dependencies {
    SearchIndex& index;
    StoreScan& store;
    events::EventLog& log;
    IndexProgress& progress;
    ReindexControl& reindex;
    const Clock& clock;
  };
  IndexAudit(Dependencies with, Settings settings) : with_(with), settings_(settings) {}

  Task<Result<IndexCheckReport>> check(bool repair, SteadyTime deadline) override;

 private:
  enum class Fault { kMissing, kSurplus, kDifferent };
  // One look at one conversation.
  struct Look {
    std::int64_t stored = 0;
    std::int64_t indexed = 0;
    std::map<MessageId, Fault> faults;  // at most kMaxFaults
    bool too_many = false;              // there are more
    // What can be found less what is indexed of the store's messages: above 0 there are others, below 0 some are in the
    // index and cannot be found.
    std::int64_t unaccounted = 0;
    bool is_clean() const { return faults.empty() && !too_many && unaccounted == 0; }
  };
  // The tenant's conversations as the index has them, one at a time.
  struct IndexedOnes {
    std::deque<IndexedConversation> ahead;
    std::optional<ConversationId> after;
    bool at_end = false;
  };

  Task<Result<>> check_tenant(TenantId tenant, IndexCheckReport& report, SteadyTime deadline);
  Task<Result<>> check_conversation(TenantId tenant, ConversationId conversation, IndexCheckReport& report,
                                    SteadyTime deadline);
  // A conversation that the index has and the list of the store had not.
  Task<Result<>> check_unlisted(TenantId tenant, ConversationId conversation, IndexCheckReport& report,
                                SteadyTime deadline);
  Task<Result<>> check_unlisted_below(TenantId tenant, std::optional<ConversationId> end, IndexedOnes& indexed,
                                      IndexCheckReport& report, SteadyTime deadline);
  Task<Result<Look>> look(TenantId tenant, ConversationId conversation, SteadyTime deadline);
  Task<Result<std::int64_t>> compare_page(TenantId tenant, ConversationId conversation,
                                          std::vector<ScannedMessage> stored, Look& look, SteadyTime deadline);
  Task<Result<>> let_index_catch_up(SteadyTime deadline);
  Task<Result<>> fill(TenantId tenant, IndexedOnes& indexed, SteadyTime deadline);
  static void add_difference(IndexCheckReport& report, const TenantId& tenant, const ConversationId& conversation,
                             const Look& look);
  SteadyTime soon(SteadyTime deadline) const;

  const Dependencies with_;
  const Settings settings_;
};

}  // namespace parley::search
