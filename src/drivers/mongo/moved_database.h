// MovedDatabase: a database as `parley migrate` reads it or fills it, outside of any transaction: what is written is
// acknowledged by the primary. For a command on its one thread, which waits; owned by an adapter.
#pragma once
#include <functional>
#include <memory>

#include "drivers/mongo/client_pool.h"

namespace parley::mongo {

class MovedDatabase {
 public:
  // `clock` must outlive it. fail: as ClientPool says.
  static Result<std::unique_ptr<MovedDatabase>> connect(ConnectionOptions connection, const Clock& clock);

  // Looks for some seconds. fail: database_in_use where a server writes to it.
  Result<> expect_unused();

  // `work` may be done again, from its beginning, when the connection broke.
  Result<> act(const std::function<void(Database&)>& work);
  template <class T, class Work>
  Result<T> read(Work work) {
    T answer{};
    auto done = act([&](Database& db) { answer = work(db); });
    if (!done) return fail(std::move(done.error()));
    return answer;
  }

 private:
  explicit MovedDatabase(std::unique_ptr<ClientPool> pool) : pool_(std::move(pool)) {}
  const std::unique_ptr<ClientPool> pool_;
};

}  // namespace parley::mongo
