// SqliteSearchIndex: the embedded SearchIndex, on FTS5 in DIR/search/search.db, which it locks. One writer thread,
// readers of its own. Owned by the wiring; called on event loops. open fails with folder_locked, folder_unusable,
// not_our_file, schema_too_new or unavailable.
#pragma once
#include <filesystem>
#include <memory>

#include "drivers/sqlite/folder.h"
#include "drivers/sqlite/group_writer.h"
#include "drivers/sqlite/reader_pool.h"
#include "search/search_index.h"

namespace parley::search {

class SqliteSearchIndex final : public SearchIndex {
 public:
  struct Options {
    std::filesystem::path folder;
    std::size_t reader_threads = 2;
    std::size_t reader_queue_limit = 256;
    std::size_t writer_queue_limit = 64;  // batches
    int reader_cache_kib = 16 * 1024;     // a thread
    sqlite::WriterObserver* observer = nullptr;
  };
  static Result<std::unique_ptr<SqliteSearchIndex>> open(Options options, const Clock& clock);

  Task<Result<ApplyOutcome>> apply(ChangeBatch batch, SteadyTime deadline) override;
  Task<Result<>> follow_lanes(std::vector<LaneProgress> lanes, SteadyTime deadline) override;
  Task<Result<std::vector<LaneProgress>>> lanes(SteadyTime deadline) override;
  Task<Result<events::LogOffset>> indexed_through(SteadyTime deadline) override;
  Task<Result<SearchPage>> search(SearchRequest request, SteadyTime deadline) override;
  Task<Result<std::vector<Suggestion>>> suggest(SuggestRequest request, SteadyTime deadline) override;
  Task<Result<std::optional<std::string>>> did_you_mean(SearchScope scope, Query query, SteadyTime deadline) override;
  Task<Result<DirectoryPage>> find_conversations(DirectoryRequest request, SteadyTime deadline) override;
  Task<Result<DirectoryPage>> find_users(DirectoryRequest request, SteadyTime deadline) override;
  Task<Result<NamedIds>> ids_by_name(NamesRequest request, SteadyTime deadline) override;
  Task<Result<RebuildState>> begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<RebuildState>> add_to_rebuild(TenantId tenant, std::string id, RebuildStep step,
                                            SteadyTime deadline) override;
  Task<Result<RebuildState>> finish_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<>> abandon_rebuild(TenantId tenant, std::string id, SteadyTime deadline) override;
  Task<Result<std::vector<RebuildState>>> rebuilds(SteadyTime deadline) override;
  Task<Result<bool>> sweep(std::size_t limit, SteadyTime deadline) override;
  Task<Result<std::int64_t>> count(TenantId tenant, ConversationId conversation, SteadyTime deadline) override;
  Task<Result<std::vector<IndexedConversation>>> indexed_conversations(TenantId tenant,
                                                                       std::optional<ConversationId> after,
                                                                       std::size_t limit, SteadyTime deadline) override;
  Task<Result<std::vector<IndexedMessage>>> lookup(TenantId tenant, ConversationId conversation,
                                                   std::vector<MessageId> ids, SteadyTime deadline) override;
  Task<Result<std::int64_t>> dead_letters(SteadyTime deadline) override;

  // What is wrong with the index itself: every entry of `words` must stand for its document. Empty when all is well.
  // Reads all of it.
  Task<Result<std::vector<std::string>>> check(SteadyTime deadline);

 private:
  SqliteSearchIndex(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection, const Options& options,
                    const Clock& clock);
  template <class T, class Work>
  Task<Result<T>> write(SteadyTime deadline, Work work);
  template <class T, class Request>
  Task<Result<T>> read(Request request, SteadyTime deadline, Result<T> (*answer)(sqlite::Connection&, const Request&));

  const Clock& clock_;
  sqlite::LockedFolder folder_;
  sqlite::ReaderPool readers_;
  sqlite::GroupWriter writer_;
};

}  // namespace parley::search
