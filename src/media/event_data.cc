#include "media/event_data.h"

#include "base/json_writer.h"
#include "base/text.h"

namespace parley::media {

std::string file_uploaded_data(const File& file) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("id").string(file.id.value);
  json.key("owner_id").string(file.owner.value);
  json.key("filename").string(file.filename);
  json.key("size").number(static_cast<std::int64_t>(file.size));
  json.key("content_type").string(file.content_type);
  json.key("sha256").string(hex_encode(file.sha256));
  json.key("created_at").time(file.created_at);
  json.end_object();
  return out;
}

std::string forgotten_file_data(const FileId& file, const UserId& owner, WallTime created_at) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("id").string(file.value);
  json.key("owner_id").string(owner.value);
  json.key("created_at").time(created_at);
  json.end_object();
  return out;
}

std::string file_deleted_data(const File& file, WallTime at, const UserId& by) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("id").string(file.id.value);
  json.key("owner_id").string(file.owner.value);
  json.key("deleted_at").time(at);
  json.key("deleted_by").string(by.value);
  json.end_object();
  return out;
}

}  // namespace parley::media
