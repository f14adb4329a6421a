// or_internal_error(): the answer of `work`, or internal_error for what it throws (out of memory, say). For work whose
// end somebody is told by hand: without it they would wait for good. Called on any thread.
#pragma once
#include "base/result.h"

namespace parley {

template <class Work>
auto or_internal_error(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    return fail(ErrorKind::kInternal, "internal_error", "The work failed.");
  }
}

}  // namespace parley
