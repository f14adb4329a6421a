// Deadlines of single attempts inside the deadline of the whole call. Pure functions, any thread.
#pragma once
#include <algorithm>
#include <chrono>

#include "base/clock.h"

namespace parley {

// When this attempt must have ended: `attempt_timeout` from now, but never after `total`. A timeout of zero is none.
inline SteadyTime attempt_deadline(SteadyTime now, SteadyTime total, std::chrono::milliseconds attempt_timeout) {
  if (attempt_timeout <= std::chrono::milliseconds::zero()) return total;
  // Compared as what is left, so that a deadline of "never" does not overflow.
  return total - now <= attempt_timeout ? total : now + attempt_timeout;
}

// Time left, zero once `deadline` has passed.
inline SteadyTime::duration remaining(SteadyTime now, SteadyTime deadline) {
  return now >= deadline ? SteadyTime::duration::zero() : deadline - now;
}

}  // namespace parley
