#include "drivers/sqlite/reader_pool.h"

#include "telemetry/log.h"

namespace parley::sqlite {

ReaderPool::ReaderPool(Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      pool_(options_.thread_name, options_.threads, options_.queue_limit) {}

ReaderPool::Lease::Lease(ReaderPool& pool, SteadyTime deadline) : pool_(pool) {
  {
    const std::lock_guard lock(pool_.mutex_);
    if (!pool_.free_.empty()) {
      connection_ = std::move(pool_.free_.back());
      pool_.free_.pop_back();
    }
  }
  if (!connection_) {
    connection_ = std::make_unique<Connection>(
        ConnectionOptions{.file = pool_.options_.file, .read_only = true, .cache_kib = pool_.options_.cache_kib});
  }
  connection_->set_deadline(pool_.clock_, deadline);
  Query(*connection_, "BEGIN").run();
}

void ReaderPool::Lease::finish() {
  connection_->set_deadline(pool_.clock_, SteadyTime::max());
  Query(*connection_, "COMMIT").run();
  healthy_ = true;
}

ReaderPool::Lease::~Lease() {
  if (!healthy_) return;  // closed: a fresh one is opened next time
  const std::lock_guard lock(pool_.mutex_);
  pool_.free_.push_back(std::move(connection_));
}

std::unexpected<Error> ReaderPool::late() {
  return fail(ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the work began.");
}

Error ReaderPool::report(const Failure& failure) {
  if (failure.primary_code() != SQLITE_INTERRUPT) {
    log_error("a read failed",
              {{"database", options_.file.filename().string()}, {"error", failure.what()}, {"code", failure.code()}});
  }
  return to_error(failure);
}

}  // namespace parley::sqlite
