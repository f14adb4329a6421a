// What the child that makes thumbnails tells its parent: frames of a kind, a length and bytes, and an exit code. The
// child has read foreign bytes with foreign code, so nothing that it says is believed unseen. Pure, any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "media/types.h"

namespace parley::media {

// The descriptors that the child finds open.
inline constexpr int kPictureDescriptor = 3;
inline constexpr int kAnswerDescriptor = 4;

enum class ThumbnailExit : std::uint8_t {
  kMade = 0,
  kWrongUse = 2,
  kUnsupported = 10,    // none of the four formats, or not the one it was taken for
  kTooManyPixels = 11,  // its size has been told
  kBroken = 12,         // its size may have been told
  kNoLibrary = 13,
  kNotConfined = 14,
  kNotWritten = 15,
};

// Of its longer side. A picture has those that are smaller than itself, and always the small one.
std::uint32_t longest_side(ThumbnailSize size);
std::vector<ThumbnailSize> thumbnails_for(ImageSize image);

inline constexpr std::string_view kThumbnailType = "image/webp";

std::string frame_of(ImageSize image);
std::string frame_of(ThumbnailSize size, std::string_view webp);

struct MadePicture {
  std::optional<ImageSize> image;
  std::vector<std::pair<ThumbnailSize, std::string>> thumbnails;
};
// All that whole frames say, each at most once; nullopt where they break a rule. `cut`: the child did not end well, and
// what follows the last whole frame is passed over.
std::optional<MadePicture> parse_frames(std::string_view frames, bool cut);

}  // namespace parley::media
