// MoveOfMessages: what `parley migrate` does with messaging's store, between the data folder and MongoDB. Tells how far
// it is on stderr, and what it came to on stdout. Blocks; one thread.
#pragma once
#include <memory>
#include <optional>

#include "app/move_sides.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "config/settings.h"
#include "messaging/transfer/store_transfer.h"

namespace parley::app {

std::unexpected<Error> source_changed();

class MoveOfMessages {
 public:
  // Null where the source has no messaging store.
  static Result<std::unique_ptr<MoveOfMessages>> open(const Settings& settings, MoveSides sides);

  Result<> copy();
  // Compares everything; whether it is the same. Differences are printed.
  Result<bool> verify();
  Result<bool> is_finished();
  // fail: source_changed when the source was written to since this was opened.
  Result<> expect_unchanged();
  Result<> finish();

 private:
  MoveOfMessages() = default;
  Result<std::int64_t> source_end();

  const SystemClock clock_;
  SecureRandom random_;
  std::unique_ptr<messaging::transfer::StoreWriter> source_;  // only read
  std::unique_ptr<messaging::transfer::StoreWriter> target_;
  std::int64_t began_at_ = 0;  // the log's end
};

}  // namespace parley::app
