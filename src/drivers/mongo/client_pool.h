// ClientPool: the connections of a process to one MongoDB database. Owned by a store; any thread borrows, waits no
// longer than its deadline for a free one, and gives it back. The URI holds a password: it is never logged, and no
// error quotes it.
#pragma once
#include <mongoc/mongoc.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "drivers/mongo/database.h"

namespace parley::mongo {

struct ConnectionOptions {
  std::string uri;  // mongodb:// or mongodb+srv://, with user, password, tls and replicaSet as MongoDB's manual says
  std::string database = "parley";
  std::filesystem::path ca_file;  // empty: the system's; given, the connection is encrypted whatever the URI says
  std::size_t size = 32;          // connections at most
  std::chrono::milliseconds timeout{10'000};         // for one command, and for all of a transaction
  std::chrono::milliseconds find_server_for{2'000};  // how long a command waits for a primary, at most
};

class ClientPool {
 public:
  // fail (invalid): the URI or the CA file is none. Connects to nothing yet. `clock` must outlive the pool, and the
  // pool its leases.
  static Result<std::unique_ptr<ClientPool>> open(const ConnectionOptions& options, const Clock& clock);
  ~ClientPool();
  ClientPool(const ClientPool&) = delete;
  ClientPool& operator=(const ClientPool&) = delete;

  class Lease {
   public:
    Lease(Lease&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), client_(other.client_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    mongoc_client_t* client() { return client_; }
    // Without a session.
    Database database(SteadyTime deadline) const;

   private:
    friend class ClientPool;
    Lease(ClientPool& pool, mongoc_client_t* client) : pool_(&pool), client_(client) {}
    ClientPool* pool_;
    mongoc_client_t* client_;
  };
  // Throws Failure (kUnreachable) when none is free in time.
  Lease borrow(SteadyTime deadline);

  // A transaction does not end with its connection: where that broke, the server may keep it and its locks for a
  // minute. Its session is noted here, and ended before the next group is written; what cannot be reached then, with a
  // later one.
  void end_later(const mongoc_client_session_t* session);
  void end_lost_sessions(Database& database);
  // Before a transaction begins in a session, which the client may have used before: with that the server ends what was
  // lost in it. One that is being ended right now is waited for, lest the new transaction be ended. Throws Failure
  // (kUnreachable) when that takes longer than the deadline.
  void take_back(const mongoc_client_session_t* session, SteadyTime deadline);

  // For start-up, on the calling thread: whether a server answers and can do transactions. fail: unavailable;
  // not_a_replica_set where it is a mongod that stands alone; access_refused.
  Result<> check_server();

  const std::string& database_name() const { return database_; }
  const Clock& clock() const { return clock_; }
  std::chrono::milliseconds timeout() const { return timeout_; }
  Database::Limits limits(SteadyTime deadline) const { return {&clock_, deadline, timeout_}; }

 private:
  ClientPool(mongoc_client_pool_t* pool, const ConnectionOptions& options, const Clock& clock);
  void give_back(mongoc_client_t* client);

  mongoc_client_pool_t* const pool_;
  const std::string database_;
  const std::chrono::milliseconds timeout_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::size_t free_;
  std::vector<Document> lost_sessions_;
  std::vector<Document> ending_sessions_;  // of which the server is being told
  std::condition_variable ended_;
};

// On the calling thread, which no loop may be: does `act` with a connection and turns what fails into an Error.
Result<> with_database(ClientPool& pool, SteadyTime deadline, const std::function<void(Database&)>& act);

}  // namespace parley::mongo
