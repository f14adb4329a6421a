// Transaction: a Database whose commands happen all or not at all, over one snapshot. It is begun by its first command.
// commit() repeats itself while its outcome is not known, until the deadline; destroyed without it, nothing was done.
// What fails throws Failure: where is_transient() says so, the whole may be tried again in a new one.
#pragma once
#include <memory>

#include "drivers/mongo/client_pool.h"

namespace parley::mongo {

class Transaction : public Database {
 public:
  // The lease must outlive the transaction.
  Transaction(ClientPool& pool, ClientPool::Lease& lease, SteadyTime deadline);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Failure kCommitUnknown: it may have happened.
  void commit();
  void abort();
  const mongoc_client_session_t* session() const { return session_; }
  // The same connection outside of the transaction.
  Database outside() const { return {client_, *name_, nullptr, limits_}; }

 private:
  using Session = std::unique_ptr<mongoc_client_session_t, void (*)(mongoc_client_session_t*)>;
  static Session start_session(mongoc_client_t* client);
  bool commit_once();

  Session owned_;
};

}  // namespace parley::mongo
