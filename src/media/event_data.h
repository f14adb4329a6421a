// The `data` of media's events, as api/events/file.*.json describes them: compact JSON from domain values. Pure; the
// same from every store adapter.
#pragma once
#include <string>

#include "media/types.h"

namespace parley::media {

inline constexpr const char* kFileUploaded = "file.uploaded";
inline constexpr const char* kFileDeleted = "file.deleted";

std::string file_uploaded_data(const File& file);
// Of a file that has been deleted since: no more than that there was one.
std::string forgotten_file_data(const FileId& file, const UserId& owner, WallTime created_at);
std::string file_deleted_data(const File& file, WallTime at, const UserId& by);

}  // namespace parley::media
