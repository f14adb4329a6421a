// Makes one object out of runs of others: by a copy within S3 where they are one, else by a multipart upload whose
// parts are copied within S3 where they are large enough. Only what is smaller than a part may be is read here and sent
// again, a part at a time. The object is there whole once this succeeds, and not at all before; what a crash leaves is
// a multipart upload, which S3BlobStore's upkeep gives up when it is old. not_found: a source is gone.
#pragma once
#include <string>
#include <vector>

#include "media/stores/s3_blob_context.h"

namespace parley::media {

Task<Result<>> join_runs(S3BlobContext& context, std::vector<Run> runs, std::string target, SteadyTime deadline);

}  // namespace parley::media
