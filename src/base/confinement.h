// Confinement: what a process that decodes foreign bytes gives up for good, so that a fault in a decoder reaches no
// further than its own memory. Called by the child itself, before any second thread; nothing here can be undone. Linux.
//
// Failures: unavailable not_confined, with what the system said, for the operator.
#pragma once
#include <cstdint>

#include "base/result.h"

namespace parley {

struct ProcessLimits {
  std::uint64_t memory_bytes = 0;  // of address space; not held to under ASan and TSan, which reserve more than any
  std::uint64_t cpu_seconds = 0;
  std::uint64_t descriptors = 0;
};

// Besides: no file grows, no core is dumped, no program gains rights, the process ends with its parent, and both its
// turn and its place in memory come after everyone else's.
Result<> limit_this_process(const ProcessLimits& limits);

// From now on no file, socket, program or process can be opened, begun, changed or signalled; what is open stays
// usable, threads and memory too.
Result<> confine_this_process();

}  // namespace parley
