// One import from source to server: reads on the calling thread, sends on `jobs` others, counts into the report.
#pragma once
#include <cstddef>

#include "base/clock.h"
#include "base/random.h"
#include "import/batch_sender.h"
#include "import/import_api.h"
#include "import/import_report.h"
#include "import/import_source.h"

namespace parley::import {

struct ImportRunOptions {
  std::size_t jobs = 4;  // ≥ 1
  SenderOptions sender;
};

// Returns when all is sent or report.failure() says why not. `api` null: a dry run, which reads and counts. `random`
// must bear several threads when jobs > 1.
void run_import_from(ImportSource& source, ImportApi* api, ImportReport& report, const Clock& clock, Random& random,
                     const ImportRunOptions& options);

}  // namespace parley::import
