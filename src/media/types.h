// The words of media: what a file, an upload and a quota are, as services and stores pass them on. Plain values, no
// behaviour; JSON is the routes' matter. The names are those of api/media.yaml.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_range.h"
#include "base/clock.h"
#include "base/ids.h"
#include "base/page.h"
#include "base/sha256.h"

namespace parley::media {

struct ImageSize {
  std::uint32_t width = 0;  // pixels, as shown (turned as the picture says)
  std::uint32_t height = 0;
  auto operator<=>(const ImageSize&) const = default;
};

// Smaller copies of a picture; which of them a file has is known once they have been made.
enum class ThumbnailSize : std::uint8_t { kSmall, kMedium, kLarge };

struct File {
  FileId id;
  TenantId tenant;
  UserId owner;
  std::string filename;      // sanitised: 1 to 255 bytes of UTF-8, no path, no control characters
  std::string content_type;  // as sniffed, "image/png"; never taken from the client unseen
  std::uint64_t size = 0;
  Sha256 sha256{};
  WallTime created_at{};
  std::optional<ImageSize> image;
  std::vector<ThumbnailSize> thumbnails;
  bool operator==(const File&) const = default;
};

// kWhole: one request brings it and nothing resumes it. kChunked: chunks in any order. kTus: from the front on.
// kTusPartial: part of a later concatenation, never a file by itself.
enum class UploadKind : std::uint8_t { kWhole, kChunked, kTus, kTusPartial };

// An upload that is not a file yet. Its id is the id that its file will have.
struct Upload {
  FileId id;
  TenantId tenant;
  UserId owner;
  UploadKind kind = UploadKind::kWhole;
  std::string filename;
  std::string declared_type;          // what the client called it; empty: nothing
  std::optional<std::uint64_t> size;  // none: not told yet
  std::optional<Sha256> expected_sha256;
  std::uint64_t chunk_size = 0;    // of kChunked: every chunk but the last is that long
  std::string tus_metadata;        // the Upload-Metadata field as it came
  std::vector<ByteRange> present;  // on disk for sure: ascending, none touching another
  std::uint64_t reserved = 0;      // bytes counted against the quotas
  WallTime created_at{};
  WallTime expires_at{};  // put off by each part that comes
  bool complete = false;  // there is a file of this id (it may have been deleted since)
  bool operator==(const Upload&) const = default;
};

std::uint64_t bytes_present(const Upload& upload);

// What a user, or a whole tenant, keeps. A limit of 0 is none.
struct UsageCount {
  std::uint64_t stored = 0;    // bytes of files that are not deleted
  std::uint64_t reserved = 0;  // bytes of uploads under way
  std::uint64_t files = 0;
  std::uint64_t limit = 0;
  bool operator==(const UsageCount&) const = default;
};
struct Usage {
  UsageCount user;
  UsageCount tenant;
  bool operator==(const Usage&) const = default;
};

}  // namespace parley::media
