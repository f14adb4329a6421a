// What the two files of tus handlers share.
#pragma once
#include <string>

#include "media/handlers.h"

namespace parley::media {

// 201 with where to go on.
http::Response tus_created(const Upload& upload);

// POST with Upload-Concat: final;…
Answer concatenate_tus_uploads(Call& call, std::string concat);
// Of an upload that was to be concatenated and is not a file yet: waits for that a while. What fails for good ends it.
Task<Result<>> finish_concatenation(Call& call, const Upload& upload);

}  // namespace parley::media
