// What the API shows of media's values, as JSON text: the schemas under "answers" in api/media.yaml. Pure, any thread.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "media/types.h"

namespace parley::media {

std::string_view to_string(ThumbnailSize size);  // "small", "medium", "large"

void write(JsonWriter& json, const File& file);
std::string encode(const File& file);
std::string encode(const Usage& usage);
std::string encode_files(const std::vector<File>& files);                                         // {"files": […]}
std::string encode_list(const std::vector<File>& files, const std::optional<std::string>& next);  // of a page

}  // namespace parley::media
