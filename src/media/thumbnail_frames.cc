#include "media/thumbnail_frames.h"

#include <algorithm>
#include <array>

namespace parley::media {

namespace {

constexpr std::array<ThumbnailSize, 3> kSizes{ThumbnailSize::kSmall, ThumbnailSize::kMedium, ThumbnailSize::kLarge};
constexpr char kImageFrame = 0;  // then the sizes, from 1
constexpr std::size_t kHeadBytes = 5;

void append_u32(std::string& to, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) to += static_cast<char>(value >> shift & 0xff);
}

std::uint32_t read_u32(std::string_view from) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
  return value;
}

std::string frame(char kind, std::string_view bytes) {
  std::string text(1, kind);
  append_u32(text, static_cast<std::uint32_t>(bytes.size()));
  return text.append(bytes);
}

// A RIFF file of WebP, as long as it says.
bool is_webp(std::string_view bytes) {
  return bytes.size() > 12 && bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP" &&
         std::uint64_t{read_u32(bytes.substr(4))} + 8 == bytes.size();
}

bool take_image(std::string_view bytes, MadePicture& picture) {
  if (picture.image || bytes.size() != 8) return false;
  picture.image = ImageSize{read_u32(bytes), read_u32(bytes.substr(4))};
  return picture.image->width > 0 && picture.image->height > 0;
}

bool take_thumbnail(ThumbnailSize size, std::string_view bytes, MadePicture& picture) {
  const auto is_same = [size](const auto& made) { return made.first == size; };
  if (!is_webp(bytes) || std::ranges::any_of(picture.thumbnails, is_same)) return false;
  picture.thumbnails.emplace_back(size, bytes);
  return true;
}

}  // namespace

std::uint32_t longest_side(ThumbnailSize size) {
  switch (size) {
    case ThumbnailSize::kSmall:
      return 160;
    case ThumbnailSize::kMedium:
      return 480;
    case ThumbnailSize::kLarge:
      break;
  }
  return 1280;
}

std::vector<ThumbnailSize> thumbnails_for(ImageSize image) {
  std::vector<ThumbnailSize> sizes{ThumbnailSize::kSmall};
  for (const ThumbnailSize size : {ThumbnailSize::kMedium, ThumbnailSize::kLarge}) {
    if (std::max(image.width, image.height) > longest_side(size)) sizes.push_back(size);
  }
  return sizes;
}

std::string frame_of(ImageSize image) {
  std::string bytes;
  append_u32(bytes, image.width);
  append_u32(bytes, image.height);
  return frame(kImageFrame, bytes);
}

std::string frame_of(ThumbnailSize size, std::string_view webp) {
  return frame(static_cast<char>(1 + static_cast<int>(size)), webp);
}

std::optional<MadePicture> parse_frames(std::string_view frames, bool cut) {
  MadePicture picture;
  while (!frames.empty()) {
    const bool whole = frames.size() >= kHeadBytes && frames.size() - kHeadBytes >= read_u32(frames.substr(1));
    if (!whole && cut) break;
    if (!whole) return std::nullopt;
    const auto kind = static_cast<unsigned char>(frames.front());
    const std::string_view bytes = frames.substr(kHeadBytes, read_u32(frames.substr(1)));
    frames.remove_prefix(kHeadBytes + bytes.size());
    const bool taken = kind == kImageFrame     ? take_image(bytes, picture)
                       : kind <= kSizes.size() ? take_thumbnail(kSizes[kind - 1], bytes, picture)
                                               : false;
    if (!taken) return std::nullopt;
  }
  if (!picture.image && !picture.thumbnails.empty()) return std::nullopt;
  return picture;
}

}  // namespace parley::media
