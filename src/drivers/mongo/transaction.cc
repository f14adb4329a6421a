#include "drivers/mongo/transaction.h"

#include <algorithm>
#include <thread>

namespace parley::mongo {

namespace {

// Between two tries of a commit that nobody answered.
constexpr std::chrono::milliseconds kCommitPause{50};

template <class T>
using Handle = std::unique_ptr<T, void (*)(T*)>;

}  // namespace

Transaction::Session Transaction::start_session(mongoc_client_t* client) {
  const Handle<mongoc_session_opt_t> options(mongoc_session_opts_new(), mongoc_session_opts_destroy);
  mongoc_session_opts_set_causal_consistency(options.get(), false);  // a snapshot needs none
  bson_error_t error{};
  Session session(mongoc_client_start_session(client, options.get(), &error), mongoc_client_session_destroy);
  if (!session) throw to_failure(error, {});
  return session;
}

Transaction::Transaction(ClientPool& pool, ClientPool::Lease& lease, SteadyTime deadline)
    : Database(lease.client(), pool.database_name(), nullptr, pool.limits(deadline)),
      owned_(start_session(lease.client())) {
  session_ = owned_.get();
  pool.take_back(session_, deadline);
  const Handle<mongoc_transaction_opt_t> options(mongoc_transaction_opts_new(), mongoc_transaction_opts_destroy);
  const Handle<mongoc_read_concern_t> snapshot(mongoc_read_concern_new(), mongoc_read_concern_destroy);
  mongoc_read_concern_set_level(snapshot.get(), MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
  mongoc_transaction_opts_set_read_concern(options.get(), snapshot.get());
  const Handle<mongoc_write_concern_t> majority(mongoc_write_concern_new(), mongoc_write_concern_destroy);
  mongoc_write_concern_set_wmajority(majority.get(), static_cast<std::int32_t>(pool.timeout().count()));
  mongoc_transaction_opts_set_write_concern(options.get(), majority.get());
  mongoc_transaction_opts_set_max_commit_time_ms(options.get(), pool.timeout().count());
  bson_error_t error{};
  if (!mongoc_client_session_start_transaction(session_, options.get(), &error)) throw to_failure(error, {});
}

Transaction::~Transaction() {
  abort();
}

bool Transaction::commit_once() {
  bson_t raw;
  bson_error_t error{};
  const bool done = mongoc_client_session_commit_transaction(session_, &raw, &error);
  const Document reply(raw);
  bson_destroy(&raw);
  if (done) return true;
  const Failure failure = to_failure(error, reply.view());
  if (failure.was_not_committed()) throw failure;
  if (limits_.clock->steady_now() + kCommitPause < limits_.deadline) return false;
  throw Failure(FailureKind::kCommitUnknown, failure.code(), failure.what());
}

void Transaction::commit() {
  while (!commit_once()) std::this_thread::sleep_for(kCommitPause);
}

void Transaction::abort() {
  if (!mongoc_client_session_in_transaction(session_)) return;
  bson_error_t ignored;  // the server ends by itself what it does not hear of
  mongoc_client_session_abort_transaction(session_, &ignored);
}

}  // namespace parley::mongo
