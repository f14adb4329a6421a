// Lease: which of several processes does a thing now, as a document {_id, holder, token, beat}. A holder moves the beat
// each time it asks; who sees the same beat for longer than lapses_after, by its own steady clock, takes the lease. So
// no two clocks are ever compared. The token grows with each change of hands: what the lease protects refuses an older
// one, for a holder that was stopped may wake up and believe that it still holds. One thread at a time; throws Failure.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "drivers/mongo/database.h"

namespace parley::mongo {

class Lease {
 public:
  // `holder` is of this process alone. The collection need not be there yet.
  Lease(std::string collection, std::string name, std::string holder, std::chrono::milliseconds lapses_after);

  // Takes or renews it; none while another has it. Ask again well within lapses_after.
  std::optional<std::int64_t> hold(Database& database, SteadyTime now);
  // So that another may take it at once.
  void release(Database& database);

 private:
  std::optional<std::int64_t> take(Database& database, std::int64_t token, std::int64_t beat);
  Document by_name() const { return make_document("_id", name_); }

  const std::string collection_;
  const std::string name_;
  const std::string holder_;
  const std::chrono::milliseconds lapses_after_;
  std::optional<std::int64_t> held_;  // the token, as far as we know
  std::int64_t seen_token_ = -1;      // of another's
  std::int64_t seen_beat_ = -1;
  SteadyTime seen_since_{};
};

}  // namespace parley::mongo
