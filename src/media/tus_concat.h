// What the store keeps of a tus upload beside its bytes: the Upload-Metadata and Upload-Concat fields as they came,
// both in Upload::tus_metadata. Pure, any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "media/types.h"

namespace parley::media {

struct TusFields {
  std::string metadata;  // the value of Upload-Metadata, or empty
  std::string concat;    // the value of Upload-Concat, or empty
};

std::string pack(const TusFields& fields);
TusFields unpack_tus_fields(const std::string& packed);

// The partial uploads that "final;…" names: relative or absolute addresses, each of which ends with an id. Empty for an
// upload that is not concatenated.
std::vector<FileId> partials_of(std::string_view concat);
inline std::vector<FileId> partials_of(const Upload& upload) {
  return upload.kind == UploadKind::kTus ? partials_of(unpack_tus_fields(upload.tus_metadata).concat)
                                         : std::vector<FileId>();
}

}  // namespace parley::media
