// `parley thumbnail`: the child that makes the thumbnails of one picture, for the server alone. It finds the picture
// and the pipe for its answer open (media/thumbnail_frames.h), gives up all that it has no use for, and only then reads
// a byte of the picture.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <map>
#include <memory>

#include "app/commands.h"
#include "base/confinement.h"
#include "drivers/vips/vips.h"
#include "media/thumbnail_frames.h"

namespace parley::app {

namespace {

using media::ThumbnailExit;
using media::ThumbnailSize;

constexpr ProcessLimits kLimits{.memory_bytes = std::uint64_t{1} << 30, .cpu_seconds = 10, .descriptors = 64};

struct Picture {
  std::string content_type;
  std::uint64_t max_megapixels = 0;
};

bool is_of(vips::Format format, std::string_view content_type) {
  switch (format) {
    case vips::Format::kJpeg:
      return content_type == "image/jpeg";
    case vips::Format::kPng:
      return content_type == "image/png";
    case vips::Format::kWebp:
      return content_type == "image/webp";
    case vips::Format::kGif:
      break;
  }
  return content_type == "image/gif";
}

bool send(std::string_view frame) {
  while (!frame.empty()) {
    const ssize_t done = ::write(media::kAnswerDescriptor, frame.data(), frame.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    frame.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

ThumbnailExit reason_of(const Error& error) {
  return error.kind == ErrorKind::kUnsupportedMediaType ? ThumbnailExit::kUnsupported : ThumbnailExit::kBroken;
}

// The largest is decoded from the picture, the smaller ones are made from that.
ThumbnailExit send_thumbnails(vips::Library& library, const std::vector<ThumbnailSize>& sizes) {
  auto largest = library.thumbnail(media::longest_side(sizes.back()));
  if (!largest) return reason_of(largest.error());
  for (const ThumbnailSize size : sizes) {
    auto shrunk = library.shrink(*largest, media::longest_side(size));
    if (!shrunk) return reason_of(shrunk.error());
    const auto bytes = library.as_webp(*shrunk);
    if (!bytes) return reason_of(bytes.error());
    if (!send(media::frame_of(size, *bytes))) return ThumbnailExit::kNotWritten;
  }
  return ThumbnailExit::kMade;
}

ThumbnailExit make_thumbnails(const Picture& picture) {
  if (!limit_this_process(kLimits)) return ThumbnailExit::kNotConfined;
  auto library = vips::Library::load();
  if (!library) return ThumbnailExit::kNoLibrary;
  if (!confine_this_process()) return ThumbnailExit::kNotConfined;
  const auto header = (*library)->open(media::kPictureDescriptor);
  if (!header) return reason_of(header.error());
  if (!is_of(header->format, picture.content_type)) return ThumbnailExit::kUnsupported;
  const media::ImageSize size{header->width, header->height};
  if (!send(media::frame_of(size))) return ThumbnailExit::kNotWritten;
  if (header->stored_pixels > picture.max_megapixels * 1'000'000) return ThumbnailExit::kTooManyPixels;
  return send_thumbnails(**library, media::thumbnails_for(size));
}

}  // namespace

void add_thumbnail_command(CLI::App& app) {
  auto picture = std::make_shared<Picture>();
  CLI::App* command = app.add_subcommand("thumbnail", "What the server makes thumbnails with");
  command->group("");  // in no list
  command->add_option("--max-megapixels", picture->max_megapixels, "Largest picture that is decoded")->required();
  command->add_option("--type", picture->content_type, "Content type that it was sniffed as")->required();
  // Not by way of exit(): what foreign libraries do at the end of a process is nobody's concern here.
  command->callback([picture] { ::_exit(static_cast<int>(make_thumbnails(*picture))); });
}

}  // namespace parley::app
