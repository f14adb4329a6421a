// Runs the program that makes the thumbnails of one picture, as a child that knows nothing but the picture: no
// environment, no descriptors, no path. Blocks until it has ended: for a thread of a pool. Whatever the child does, it
// costs no more than its time and its answer.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "media/thumbnail_frames.h"

namespace parley::media {

enum class ThumbnailOutcome : std::uint8_t {
  kMade,
  kUnsupported,
  kTooManyPixels,
  kBroken,
  kTimeout,     // of the clock or of the processor
  kCrashed,     // or an answer that is none
  kNoLibrary,   // libvips is not installed
  kNotStarted,  // or could not be confined
  kStopped,     // by whoever asked
};
std::string_view to_string(ThumbnailOutcome outcome);  // "made"

struct ThumbnailProgram {
  std::vector<std::string> command;  // its path and first arguments
  std::chrono::milliseconds time = std::chrono::seconds(20);
  std::size_t most_bytes = 4 * 1024 * 1024;  // of its answer
};

struct ThumbnailAnswer {
  ThumbnailOutcome outcome = ThumbnailOutcome::kNotStarted;
  MadePicture picture;  // where something went wrong, without thumbnails
};

// `picture` is read from its start. The child is killed when `stop` becomes readable.
ThumbnailAnswer run_thumbnail_program(const ThumbnailProgram& program, int picture, int stop);

}  // namespace parley::media
