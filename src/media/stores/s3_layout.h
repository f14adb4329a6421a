// Which bytes of a blob lie in which objects, and by which parts they become one object. Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_range.h"
#include "media/stores/s3_blob_keys.h"

namespace parley::media {

// A run of an object that is a run of the blob.
struct Run {
  std::string key;
  std::uint64_t object_size = 0;
  std::uint64_t from = 0;  // in the object
  std::uint64_t length = 0;
  std::uint64_t at = 0;  // in the blob
  std::uint64_t end() const { return at + length; }
  bool is_whole_object() const { return from == 0 && length == object_size; }
  // Its first `bytes`, which it loses.
  Run take_front(std::uint64_t bytes);
};

struct StoredPiece {
  std::string key;
  PieceName name;
};

// In the order of the blob, none over another: of the same bytes the newest piece counts. What no piece has is left
// out.
std::vector<Run> lay_out(std::vector<StoredPiece> pieces);
// Where the last piece ends.
std::uint64_t end_of(const std::vector<Run>& runs);
// Whether there is every byte of that range, and none more.
bool covers(const std::vector<Run>& runs, ByteRange range);
// What a layout has of those bytes.
std::vector<Run> cut_to(std::vector<Run> runs, ByteRange range);

struct PartLimits {
  std::uint64_t least = 5 << 20;  // of every part but the last
  std::uint64_t most = 512 << 20;
  std::uint64_t most_parts = 10'000;
};

// One part of a multipart upload: copied within S3, or read here and sent.
struct PartPlan {
  std::vector<Run> sources;
  bool is_copied = false;
  std::uint64_t size() const;
};

// Parts that give the bytes of `runs`. What is too small for a part of its own is put together with what follows, so
// that no more than thrice the least part is ever read at once.
std::vector<PartPlan> plan_parts(std::vector<Run> runs, PartLimits limits = {});

}  // namespace parley::media
