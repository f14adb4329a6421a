// AttachedFiles: what messaging asks of the files that a message would attach. Made and owned by the wiring; called on
// any loop. fail: unavailable (kFilesUnavailable) with retry_after when media does not answer as it should or in time.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "messaging/types.h"
#include "tenancy/caller.h"

namespace parley::messaging {

// The request on whose behalf another role is asked, for that role's log and traces.
struct RequestTrace {
  std::string request_id;
  std::string traceparent;
};

// The code of the only failure: media does not answer. Messaging itself is well, and messages without attachments go
// on.
inline constexpr const char* kFilesUnavailable = "files_unavailable";

class AttachedFiles {
 public:
  virtual ~AttachedFiles() = default;
  // Those of `files` that the caller may read, in any order. Unknown ones are left out like those of others.
  virtual Task<Result<std::vector<AttachedFile>>> readable(Caller caller, std::vector<FileId> files, RequestTrace trace,
                                                           SteadyTime deadline) = 0;
};

}  // namespace parley::messaging
