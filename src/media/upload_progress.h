// How far an upload is: which chunks are there, and UploadProgress of api/media.yaml as JSON. Pure, any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "media/types.h"
#include "media/uploads_under_way.h"

namespace parley::media {

struct ChunkCount {
  static constexpr std::size_t kMostRuns = 1'000;
  std::uint64_t total = 0;
  std::uint64_t present = 0;                                     // whole
  std::vector<std::pair<std::uint64_t, std::uint64_t>> missing;  // first and last index of each run
  bool more_missing = false;                                     // than kMostRuns runs
};
// Of an upload in chunks.
ChunkCount count_chunks(const Upload& upload);

// Up to where bytes are there without a gap from the first one on.
std::uint64_t front_end(const Upload& upload);
bool is_all_present(const Upload& upload);

// `file`: of a complete upload, unless it was deleted since.
std::string encode_progress(const Upload& upload, const UploadsUnderWay::Standing& standing,
                            const std::optional<File>& file);
// conflict upload_incomplete, which names what is missing.
std::unexpected<Error> incomplete(const Upload& upload);

}  // namespace parley::media
