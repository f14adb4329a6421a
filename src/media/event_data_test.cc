// Holds the events' data to the schemas of api/events: every required field is there, and none that is not listed.
#include "media/event_data.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>

namespace parley::media {
namespace {

void expect_fits(const std::string& type, const std::string& data) {
  std::ifstream file(std::string(PARLEY_SOURCE_DIR) + "/api/events/" + type + ".json");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto event = boost::json::parse(text).at("properties").as_object();
  EXPECT_EQ(event.at("type").at("const").as_string(), type);
  const auto& schema = event.at("data").as_object();
  const auto object = boost::json::parse(data).as_object();
  for (const auto& name : schema.at("required").as_array()) {
    EXPECT_TRUE(object.contains(name.as_string())) << type << " lacks " << name;
  }
  for (const auto& field : object) {
    EXPECT_TRUE(schema.at("properties").as_object().contains(field.key())) << type << " has " << field.key();
  }
}

File some_file() {
  File file;
  file.id = FileId("0192f3a1-7d20-7c21-9a00-0000000000f1");
  file.tenant = TenantId("acme");
  file.owner = UserId("u \"quoted\"");
  file.filename = "pl\"an\xE6\xBC\xA2.pdf";
  file.content_type = "application/pdf";
  file.size = 5'000'000'000;
  file.sha256.fill(0xab);
  file.created_at = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  return file;
}

TEST(MediaEventData, FitsTheSchemas) {
  const File file = some_file();
  expect_fits(kFileUploaded, file_uploaded_data(file));
  expect_fits(kFileUploaded, forgotten_file_data(file.id, file.owner, file.created_at));
  expect_fits(kFileDeleted, file_deleted_data(file, file.created_at, UserId("admin")));
}

TEST(MediaEventData, SaysWhatTheFileIs) {
  const auto data = boost::json::parse(file_uploaded_data(some_file())).as_object();
  EXPECT_EQ(data.at("filename").as_string(), some_file().filename);
  EXPECT_EQ(data.at("size").as_int64(), 5'000'000'000);
  EXPECT_EQ(data.at("sha256").as_string().subview(0, 4), "abab");
  EXPECT_EQ(data.at("created_at").as_string(), "2023-11-14T22:13:20.123Z");
}

}  // namespace
}  // namespace parley::media
