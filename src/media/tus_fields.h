// The header fields of tus 1.0.0 (https://tus.io/protocols/resumable-upload) that need reading. Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected_digest.h"
#include "base/result.h"

namespace parley::media {

inline constexpr std::string_view kTusVersion = "1.0.0";
inline constexpr std::string_view kTusExtensions =
    "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination,concatenation";
inline constexpr std::string_view kTusAlgorithms = "sha1,md5,sha256,sha512";
inline constexpr std::string_view kTusContentType = "application/offset+octet-stream";

struct TusMetadata {
  std::string filename;  // of the keys filename or name; empty: not said
  std::string type;      // of filetype or type
};
// Upload-Metadata: keys with base64 values, comma-separated. invalid on header.Upload-Metadata.
Result<TusMetadata> parse_tus_metadata(std::string_view value);

// Upload-Checksum: an algorithm of kTusAlgorithms, a blank, base64. invalid on header.Upload-Checksum.
Result<std::vector<ExpectedDigest>> parse_tus_checksum(std::optional<std::string_view> value);

}  // namespace parley::media
