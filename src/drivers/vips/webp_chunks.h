// The chunks of a WebP file (RIFF). Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace parley::vips {

// The same picture without colour profile, EXIF, XMP and whatever else is not needed to show it, none of which a
// thumbnail is to pass on: libvips' own `strip` leaves them in. Nullopt when the file is not well formed.
std::optional<std::string> without_metadata(std::string_view webp);

}  // namespace parley::vips
