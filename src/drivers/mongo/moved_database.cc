#include "drivers/mongo/moved_database.h"

#include "drivers/mongo/session_register.h"

namespace parley::mongo {

namespace {
constexpr std::chrono::minutes kLongest{2};  // for one call; each command has its own limit
constexpr int kTries = 4;
constexpr std::size_t kConnections = 2;
}  // namespace

Result<std::unique_ptr<MovedDatabase>> MovedDatabase::connect(ConnectionOptions connection, const Clock& clock) {
  connection.size = kConnections;
  auto pool = ClientPool::open(connection, clock);
  if (!pool) return fail(std::move(pool.error()));
  if (auto well = (*pool)->check_server(); !well) return fail(std::move(well.error()));
  return std::unique_ptr<MovedDatabase>(new MovedDatabase(std::move(*pool)));
}

Result<> MovedDatabase::expect_unused() {
  const auto used = read<bool>(SessionRegister::sees_a_beat);
  if (!used) return fail(used.error());
  if (!*used) return {};
  return fail(ErrorKind::kConflict, "database_in_use",
              "A server runs on the database of MONGODB_DATABASE: stop all of them first.");
}

Result<> MovedDatabase::act(const std::function<void(Database&)>& work) {
  const SteadyTime deadline = pool_->clock().steady_now() + kLongest;
  for (int tries_left = kTries - 1;; --tries_left) {
    try {
      auto lease = pool_->borrow(deadline);
      auto database = lease.database(deadline);
      work(database);
      return {};
    } catch (const Failure& failure) {
      if (tries_left > 0 && failure.is_transient()) continue;
      Error error = to_error(failure);
      error.detail = std::string("MongoDB: ") + failure.what();
      return fail(std::move(error));
    }
  }
}

}  // namespace parley::mongo
