#include "media/json_encoding.h"

#include "base/text.h"

namespace parley::media {

std::string_view to_string(ThumbnailSize size) {
  switch (size) {
    case ThumbnailSize::kSmall:
      return "small";
    case ThumbnailSize::kMedium:
      return "medium";
    case ThumbnailSize::kLarge:
      return "large";
  }
  return {};
}

void write(JsonWriter& json, const File& file) {
  json.begin_object();
  json.key("id").string(file.id.value);
  json.key("filename").string(file.filename);
  json.key("size").number(static_cast<std::int64_t>(file.size));
  json.key("content_type").string(file.content_type);
  json.key("sha256").string(hex_encode(file.sha256));
  json.key("owner_id").string(file.owner.value);
  json.key("created_at").time(file.created_at);
  json.key("image");
  if (file.image) {
    json.begin_object();
    json.key("width").number(static_cast<std::int64_t>(file.image->width));
    json.key("height").number(static_cast<std::int64_t>(file.image->height));
    json.end_object();
  } else {
    json.null();
  }
  json.key("thumbnails").begin_array();
  for (const ThumbnailSize size : file.thumbnails) json.string(to_string(size));
  json.end_array();
  json.end_object();
}

namespace {

void write(JsonWriter& json, const UsageCount& count) {
  json.begin_object();
  json.key("stored").number(static_cast<std::int64_t>(count.stored));
  json.key("reserved").number(static_cast<std::int64_t>(count.reserved));
  json.key("files").number(static_cast<std::int64_t>(count.files));
  json.key("limit");
  if (count.limit == 0) {
    json.null();
  } else {
    json.number(static_cast<std::int64_t>(count.limit));
  }
  json.end_object();
}

}  // namespace

std::string encode(const File& file) {
  std::string out;
  JsonWriter json(out);
  write(json, file);
  return out;
}

std::string encode(const Usage& usage) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  write(json.key("user"), usage.user);
  write(json.key("tenant"), usage.tenant);
  json.end_object();
  return out;
}

std::string encode_files(const std::vector<File>& files) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("files").begin_array();
  for (const File& file : files) write(json, file);
  json.end_array();
  json.end_object();
  return out;
}

std::string encode_list(const std::vector<File>& files, const std::optional<std::string>& next) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("items").begin_array();
  for (const File& file : files) write(json, file);
  json.end_array();
  json.key("next_cursor").string(next);
  json.end_object();
  return out;
}

}  // namespace parley::media
