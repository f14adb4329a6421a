// vips::Library: libvips (8.13 or newer), loaded while the process runs, so that what never asks for it does not need
// it. JPEG, PNG, WebP and GIF only: every other loader is blocked. Knows no chat words. For one thread of a process of
// its own: pictures are foreign bytes, and their decoders have faults.
//
// Failures: unavailable libvips_missing; unsupported media type `picture_unsupported`; invalid `picture_broken`, with
// libvips' words for the operator.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace parley::vips {

enum class Format : std::uint8_t { kJpeg, kPng, kWebp, kGif };

struct Header {
  Format format = Format::kJpeg;
  std::uint64_t stored_pixels = 0;
  std::uint32_t width = 0;  // as shown: turned as EXIF says
  std::uint32_t height = 0;
};

// A picture in memory, of the library that made it.
class Image {
 public:
  Image(void* image, void (*release)(void*)) : image_(image, release) {}
  void* get() const { return image_.get(); }

 private:
  std::unique_ptr<void, void (*)(void*)> image_;
};

class Library {
 public:
  // Once in a process; nothing has to be opened any more once it is there.
  static Result<std::unique_ptr<Library>> load();
  ~Library();

  // Reads no more than the header. `fd` is a file, read from its start; the first picture of several.
  Result<Header> open(int fd);
  // The picture of open(), turned as it is shown, in sRGB, its longer side at most `pixels`; never made larger.
  Result<Image> thumbnail(std::uint32_t pixels);
  Result<Image> shrink(const Image& image, std::uint32_t pixels);
  // Without metadata.
  Result<std::string> as_webp(const Image& image);

 private:
  struct Functions;
  explicit Library(std::unique_ptr<Functions> functions);
  std::unexpected<Error> broken() const;

  const std::unique_ptr<Functions> call_;
  void* source_ = nullptr;
};

}  // namespace parley::vips
