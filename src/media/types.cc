#include "media/types.h"

namespace parley::media {

std::uint64_t bytes_present(const Upload& upload) {
  std::uint64_t bytes = 0;
  for (const ByteRange& range : upload.present) bytes += range.length();
  return bytes;
}

}  // namespace parley::media
