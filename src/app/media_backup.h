// The part of `parley backup` that is about media: its database as one snapshot, then every file that it names, read
// from the objects and compared with its SHA-256 on the way. A running server does not mind. Answers the exit code and
// says on stdout and stderr what there is to say.
#pragma once
#include <filesystem>

#include "config/settings.h"

namespace parley::app {

// Of DATA_DIR/media, and of S3 where the objects are there, into a folder that is there and empty.
int backup_media(const Settings& settings, const std::filesystem::path& into);

}  // namespace parley::app
