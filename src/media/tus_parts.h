// What the two files of tus handlers share.
#pragma once
#include <string>

#include "media/handlers.h"

namespace parley::media {

// 201 with where to go on.
http::Response tus_created(const Upload& upload);

// POST with Upload-Concat: final;…
Answer concatenate_tus_uploads(Call& call, std::string concat);

}  // namespace parley::media
