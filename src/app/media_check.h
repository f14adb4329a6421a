// The part of `parley check` that is about media: its store by rules, and the objects against it. The store is the one
// of the folder, or in MongoDB where MONGODB_URI is set. Reads beside running servers; mends only where none runs, and
// in MongoDB, where that cannot be known, nothing. Answers the exit code and says on stdout and stderr what there
// is to say.
#pragma once
#include "config/settings.h"

namespace parley::app {

struct MediaCheckOptions {
  bool repair = false;
  bool read_bytes = false;  // every object is read and its SHA-256 compared
};

// Whether there is a media store in the data folder.
bool has_media(const Settings& settings);
int check_media(const Settings& settings, const MediaCheckOptions& options);

}  // namespace parley::app
