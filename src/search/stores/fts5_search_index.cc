#include "search/stores/fts5_search_index.h"

#include "drivers/sqlite/migrations.h"
#include "search/stores/fts5_apply.h"
#include "search/stores/fts5_checks.h"
#include "search/stores/fts5_directory.h"
#include "search/stores/fts5_generations.h"
#include "search/stores/fts5_lanes.h"
#include "search/stores/fts5_schema.h"
#include "search/stores/fts5_scopes.h"
#include "search/stores/fts5_search.h"
#include "search/stores/fts5_suggest.h"
#include "search/stores/fts5_sweep.h"
#include "search/stores/fts5_tokenizer.h"
#include "search/stores/fts5_words.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

constexpr int kWriterCacheKib = 32 * 1024;

struct Nothing {};

Result<events::LogOffset> progress_of(sqlite::Connection& db, const Nothing&) {
  return read_progress(db);
}
Result<std::vector<LaneProgress>> lanes_of(sqlite::Connection& db, const Nothing&) {
  return read_lanes(db);
}
Result<std::vector<RebuildState>> rebuilds_of(sqlite::Connection& db, const Nothing&) {
  return read_rebuilds(db);
}
Result<std::int64_t> count_dead_letters(sqlite::Connection& db, const Nothing&) {
  return db.query_int("SELECT count(*) FROM dead_letters");
}

}  // namespace

Result<std::unique_ptr<SqliteSearchIndex>> SqliteSearchIndex::open(Options options, const Clock& clock) {
  auto folder = sqlite::LockedFolder::open(options.folder);
  if (!folder) return fail(folder.error());
  try {
    auto connection = std::make_unique<sqlite::Connection>(
        sqlite::ConnectionOptions{.file = options.folder / kSearchDatabase, .cache_kib = kWriterCacheKib});
    register_fts5_parts(*connection);
    if (auto migrated = sqlite::migrate(*connection, kSearchApplicationId, search_migrations()); !migrated) {
      return fail(migrated.error());
    }
    fill_missing_scopes(*connection);
    return std::unique_ptr<SqliteSearchIndex>(
        new SqliteSearchIndex(std::move(*folder), std::move(connection), options, clock));
  } catch (const sqlite::Failure& failure) {
    log_error("the search index cannot be opened", {{"folder", options.folder.string()}, {"error", failure.what()}});
    return fail(sqlite::to_error(failure));
  }
}

SqliteSearchIndex::SqliteSearchIndex(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection,
                                     const Options& options, const Clock& clock)
    : clock_(clock),
      folder_(std::move(folder)),
      readers_({.file = options.folder / kSearchDatabase,
                .thread_name = "search-read",
                .threads = options.reader_threads,
                .queue_limit = options.reader_queue_limit,
                .cache_kib = options.reader_cache_kib},
               clock),
      writer_(std::move(connection),
              {.file = options.folder / kSearchDatabase,
               .thread_name = "search-write",
               .batch_limit = 16,
               .queue_limit = options.writer_queue_limit,
               .cache_kib = kWriterCacheKib,
               .observer = options.observer,
               .after_commit = {},
               .after_rollback = {}},
              clock) {}

template <class T, class Work>
Task<Result<T>> SqliteSearchIndex::write(SteadyTime deadline, Work work) {
  return writer_.run<T>(deadline, [work = std::move(work)](sqlite::Connection& db) -> Result<T> {
    register_fts5_parts(db);
    return work(db);
  });
}

template <class T, class Request>
Task<Result<T>> SqliteSearchIndex::read(Request request, SteadyTime deadline,
                                        Result<T> (*answer)(sqlite::Connection&, const Request&)) {
  return readers_.run<T>(deadline, [request = std::move(request), answer](sqlite::Connection& db) {
    register_fts5_parts(db);
    return answer(db, request);
  });
}

Task<Result<ApplyOutcome>> SqliteSearchIndex::apply(ChangeBatch batch, SteadyTime deadline) {
  return write<ApplyOutcome>(deadline,
                             [batch = std::move(batch)](sqlite::Connection& db) { return apply_batch(db, batch); });
}

Task<Result<>> SqliteSearchIndex::follow_lanes(std::vector<LaneProgress> lanes, SteadyTime deadline) {
  return write<void>(deadline, [lanes = std::move(lanes)](sqlite::Connection& db) -> Result<> {
    replace_lanes(db, lanes);
    return {};
  });
}

Task<Result<std::vector<LaneProgress>>> SqliteSearchIndex::lanes(SteadyTime deadline) {
  return read(Nothing{}, deadline, lanes_of);
}

Task<Result<events::LogOffset>> SqliteSearchIndex::indexed_through(SteadyTime deadline) {
  return read(Nothing{}, deadline, progress_of);
}

Task<Result<SearchPage>> SqliteSearchIndex::search(SearchRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, search_page);
}

Task<Result<std::vector<Suggestion>>> SqliteSearchIndex::suggest(SuggestRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, suggestions);
}

Task<Result<std::optional<std::string>>> SqliteSearchIndex::did_you_mean(SearchScope scope, Query query,
                                                                         SteadyTime deadline) {
  return read(NearWordsRequest{std::move(scope), std::move(query)}, deadline, near_words);
}

Task<Result<DirectoryPage>> SqliteSearchIndex::find_conversations(DirectoryRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, conversations_page);
}

Task<Result<DirectoryPage>> SqliteSearchIndex::find_users(DirectoryRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, users_page);
}

Task<Result<NamedIds>> SqliteSearchIndex::ids_by_name(NamesRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, named_ids);
}

Task<Result<RebuildState>> SqliteSearchIndex::begin_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  return write<RebuildState>(
      deadline, [tenant = std::move(tenant), id = std::move(id), now = clock_.wall_now()](sqlite::Connection& db) {
        return search::begin_rebuild(db, tenant, id, now);
      });
}

Task<Result<RebuildState>> SqliteSearchIndex::add_to_rebuild(TenantId tenant, std::string id, RebuildStep step,
                                                             SteadyTime deadline) {
  return write<RebuildState>(
      deadline, [tenant = std::move(tenant), id = std::move(id), step = std::move(step)](sqlite::Connection& db) {
        return apply_rebuild_step(db, tenant, id, step);
      });
}

Task<Result<RebuildState>> SqliteSearchIndex::finish_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  return write<RebuildState>(deadline, [tenant = std::move(tenant), id = std::move(id)](sqlite::Connection& db) {
    return search::finish_rebuild(db, tenant, id);
  });
}

Task<Result<>> SqliteSearchIndex::abandon_rebuild(TenantId tenant, std::string id, SteadyTime deadline) {
  return write<void>(deadline, [tenant = std::move(tenant), id = std::move(id)](sqlite::Connection& db) {
    return search::abandon_rebuild(db, tenant, id);
  });
}

Task<Result<std::vector<RebuildState>>> SqliteSearchIndex::rebuilds(SteadyTime deadline) {
  return read(Nothing{}, deadline, rebuilds_of);
}

Task<Result<bool>> SqliteSearchIndex::sweep(std::size_t limit, SteadyTime deadline) {
  return write<bool>(deadline, [limit](sqlite::Connection& db) -> Result<bool> { return sweep_dropped(db, limit); });
}

Task<Result<std::int64_t>> SqliteSearchIndex::count(TenantId tenant, ConversationId conversation, SteadyTime deadline) {
  return read(CountRequest{std::move(tenant), std::move(conversation)}, deadline, count_messages);
}

Task<Result<std::vector<IndexedConversation>>> SqliteSearchIndex::indexed_conversations(
    TenantId tenant, std::optional<ConversationId> after, std::size_t limit, SteadyTime deadline) {
  return read(ConversationsRequest{std::move(tenant), std::move(after), limit}, deadline, list_conversations);
}

Task<Result<std::vector<IndexedMessage>>> SqliteSearchIndex::lookup(TenantId tenant, ConversationId conversation,
                                                                    std::vector<MessageId> ids, SteadyTime deadline) {
  return read(LookupRequest{std::move(tenant), std::move(conversation), std::move(ids)}, deadline, look_up_messages);
}

Task<Result<std::int64_t>> SqliteSearchIndex::dead_letters(SteadyTime deadline) {
  return read(Nothing{}, deadline, count_dead_letters);
}

Task<Result<std::vector<std::string>>> SqliteSearchIndex::check(SteadyTime deadline) {
  using Problems = std::vector<std::string>;
  // FTS5's own check is an INSERT that writes nothing, so it is the writer's to make.
  return writer_.run<Problems>(deadline, [](sqlite::Connection& db) -> Result<Problems> {
    register_fts5_parts(db);
    try {
      db.exec("INSERT INTO words(words, rank) VALUES('integrity-check', 1)");
      if (scopes_are_whole(db)) return Problems{};
      return Problems{"some documents of the search index are in no conversation that is searched: reindex"};
    } catch (const sqlite::Failure& failure) {
      if (failure.primary_code() != SQLITE_CORRUPT) throw;
      return Problems{"the words of the search index differ from its documents: reindex"};
    }
  });
}

}  // namespace parley::search
