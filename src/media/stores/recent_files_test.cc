#include "media/stores/recent_files.h"

#include <gtest/gtest.h>

namespace parley::media {
namespace {

File file(const char* id, const char* tenant = "acme") {
  File file;
  file.id = FileId(id);
  file.tenant = TenantId(tenant);
  file.filename = std::string("name of ") + id;
  return file;
}

class RecentFilesTest : public ::testing::Test {
 protected:
  void keep(const char* id) { recent_.keep(file(id), recent_.begin_read()); }
  bool has(const char* id) { return recent_.find(TenantId("acme"), FileId(id)).has_value(); }
  RecentFiles recent_{2};
};

TEST_F(RecentFilesTest, WhatWasReadIsFoundByItsTenantAlone) {
  EXPECT_FALSE(has("a"));
  keep("a");
  EXPECT_EQ(recent_.find(TenantId("acme"), FileId("a")), file("a"));
  EXPECT_EQ(recent_.find(TenantId("beta"), FileId("a")), std::nullopt);
}

TEST_F(RecentFilesTest, WhatWasNotAskedForLongestGoesFirst) {
  keep("a");
  keep("b");
  EXPECT_TRUE(has("a"));
  keep("c");
  EXPECT_TRUE(has("a"));
  EXPECT_FALSE(has("b"));
  EXPECT_TRUE(has("c"));
}

TEST_F(RecentFilesTest, WhatHasChangedIsReadAnew) {
  keep("a");
  keep("b");
  recent_.forget({FileId("a"), FileId("never kept")});
  EXPECT_FALSE(has("a"));
  EXPECT_TRUE(has("b"));
  keep("a");
  EXPECT_TRUE(has("a"));
}

TEST_F(RecentFilesTest, AReadThatBeganBeforeAChangeIsNotKept) {
  const std::uint64_t began = recent_.begin_read();
  recent_.forget({FileId("a")});
  recent_.keep(file("a"), began);
  EXPECT_FALSE(has("a"));
}

TEST_F(RecentFilesTest, TheFirstOfTwoReadsIsKept) {
  keep("a");
  keep("a");
  EXPECT_TRUE(has("a"));
  recent_.forget({FileId("a")});
  EXPECT_FALSE(has("a"));
}

}  // namespace
}  // namespace parley::media
