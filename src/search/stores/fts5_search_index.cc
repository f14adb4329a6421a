#include "search/stores/fts5_search_index.h"

#include "drivers/sqlite/migrations.h"
#include "search/stores/fts5_apply.h"
#include "search/stores/fts5_schema.h"
#include "search/stores/fts5_search.h"
#include "search/stores/fts5_tokenizer.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

constexpr int kWriterCacheKib = 32 * 1024;

struct ConversationKey {
  TenantId tenant;
  ConversationId conversation;
};

Result<std::int64_t> count_documents(sqlite::Connection& db, const ConversationKey& key) {
  sqlite::Query row(db,
                    "SELECT count(*) FROM documents WHERE conversation = "
                    "(SELECT id FROM conversations WHERE tenant = ?1 AND public_id = ?2)",
                    key.tenant.value, key.conversation.value);
  row.step();
  return row.integer(0);
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
    return std::unique_ptr<SqliteSearchIndex>(
        new SqliteSearchIndex(std::move(*folder), std::move(connection), options, clock));
  } catch (const sqlite::Failure& failure) {
    log_error("the search index cannot be opened", {{"folder", options.folder.string()}, {"error", failure.what()}});
    return fail(sqlite::to_error(failure));
  }
}

SqliteSearchIndex::SqliteSearchIndex(sqlite::LockedFolder folder, std::unique_ptr<sqlite::Connection> connection,
                                     const Options& options, const Clock& clock)
    : folder_(std::move(folder)),
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

Task<Result<ApplyOutcome>> SqliteSearchIndex::apply(ChangeBatch batch, SteadyTime deadline) {
  return writer_.run<ApplyOutcome>(deadline, [batch = std::move(batch)](sqlite::Connection& db) {
    register_fts5_parts(db);
    return apply_batch(db, batch);
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

Task<Result<events::LogOffset>> SqliteSearchIndex::indexed_through(SteadyTime deadline) {
  return readers_.run<events::LogOffset>(
      deadline, [](sqlite::Connection& db) -> Result<events::LogOffset> { return read_progress(db); });
}

Task<Result<SearchPage>> SqliteSearchIndex::search(SearchRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, search_page);
}

Task<Result<std::vector<std::string>>> SqliteSearchIndex::suggest(SuggestRequest request, SteadyTime deadline) {
  return read(std::move(request), deadline, suggest_words);
}

Task<Result<std::int64_t>> SqliteSearchIndex::count(TenantId tenant, ConversationId conversation, SteadyTime deadline) {
  return read(ConversationKey{std::move(tenant), std::move(conversation)}, deadline, count_documents);
}

Task<Result<std::vector<std::string>>> SqliteSearchIndex::check(SteadyTime deadline) {
  using Problems = std::vector<std::string>;
  // FTS5's own check is an INSERT that writes nothing, so it is the writer's to make.
  return writer_.run<Problems>(deadline, [](sqlite::Connection& db) -> Result<Problems> {
    register_fts5_parts(db);
    try {
      db.exec("INSERT INTO words(words, rank) VALUES('integrity-check', 1)");
      return Problems{};
    } catch (const sqlite::Failure& failure) {
      if (failure.primary_code() != SQLITE_CORRUPT) throw;
      return Problems{"the words of the search index differ from its documents: reindex"};
    }
  });
}

}  // namespace parley::search
