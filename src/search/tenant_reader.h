// TenantReader: goes once through all that the store holds of one tenant and gives it as steps of a rebuild: people,
// then each conversation with its messages. Each step's cursor is where a new reader goes on, after a kill too. A step
// that was not added is not read again by this reader: make a new one from the cursor before. Owned by the reindexer,
// used by one task at a time.
#pragma once
#include <deque>
#include <optional>
#include <string>

#include "search/search_index.h"
#include "search/store_scan.h"

namespace parley::search {

class TenantReader {
 public:
  // `cursor`: of the last step that was added; empty or unreadable: from the beginning. `step_size`: changes in a step,
  // about. The store must outlive the reader.
  TenantReader(StoreScan& store, TenantId tenant, std::string_view cursor, std::size_t step_size);

  Task<Result<RebuildStep>> next(SteadyTime deadline);
  // Whether the last step was the last.
  bool at_end() const { return place_.stage == Stage::kEnd; }

 private:
  enum class Stage { kUsers, kConversations, kEnd };
  struct Place {
    Stage stage = Stage::kUsers;
    StoreScan::After after;     // the last user or conversation that is done
    StoreScan::After within;    // the conversation that is gone through
    StoreScan::After messages;  // the seq up to which it is done
  };
  static Place parse(std::string_view cursor);
  std::string cursor() const;

  Task<Result<>> read_users(RebuildStep& step, SteadyTime deadline);
  Task<Result<>> read_conversations(RebuildStep& step, SteadyTime deadline);
  Task<Result<>> read_messages(const ConversationId& conversation, RebuildStep& step, SteadyTime deadline);
  Task<Result<>> fetch_conversations(SteadyTime deadline);
  void end_conversation();

  StoreScan& store_;
  const TenantId tenant_;
  const std::size_t step_size_;
  Place place_;
  std::deque<ScannedConversation> conversations_;  // the next ones, after place_.after
  StoreScan::After listed_;                        // what to list the ones after them with
  bool no_more_conversations_ = false;
};

// How many messages the tenant's conversations have had, deleted ones too: what a reader's progress is measured by.
Task<Result<std::int64_t>> messages_ever(StoreScan& store, TenantId tenant, SteadyTime deadline);

}  // namespace parley::search
