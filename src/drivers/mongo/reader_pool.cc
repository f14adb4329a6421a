#include "drivers/mongo/reader_pool.h"

#include "telemetry/log.h"

namespace parley::mongo {

Error ReaderPool::report(const Failure& failure) {
  if (failure.kind() != FailureKind::kTimeout) {
    log_error("a read failed", {{"error", failure.what()}, {"code", failure.code()}});
  }
  return to_error(failure);
}

}  // namespace parley::mongo
