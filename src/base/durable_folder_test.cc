#include "base/durable_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <vector>

namespace parley {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DurableFolder : public ::testing::Test {
 protected:
  DurableFolder() {
    std::string pattern = (fs::temp_directory_path() / "parley-folder-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
  }
  ~DurableFolder() override { fs::remove_all(root); }
  std::error_code make(const fs::path& folder) {
    return make_durable_folder(folder, [this](const fs::path& holder) {
      synced.push_back(holder);
      return std::error_code();
    });
  }
  fs::path root;
  std::vector<fs::path> synced;
};

TEST_F(DurableFolder, SyncsTheFolderThatHoldsEachNewOne) {
  EXPECT_FALSE(make(root / "a" / "b" / "c"));
  EXPECT_TRUE(fs::is_directory(root / "a" / "b" / "c"));
  EXPECT_THAT(synced, ElementsAre(root, root / "a", root / "a" / "b"));
}

TEST_F(DurableFolder, LeavesAloneWhatIsThere) {
  ASSERT_FALSE(make(root / "a"));
  synced.clear();
  EXPECT_FALSE(make(root / "a"));
  EXPECT_THAT(synced, IsEmpty());
}

TEST_F(DurableFolder, IsPrivateAndTakesALastSlash) {
  EXPECT_FALSE(make(root / "a" / ""));
  struct stat status{};
  ASSERT_EQ(::stat((root / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  EXPECT_THAT(synced, ElementsAre(root));
}

TEST_F(DurableFolder, ARelativeNameIsHeldByTheFolderOneIsIn) {
  const fs::path before = fs::current_path();
  fs::current_path(root);
  EXPECT_FALSE(make("data"));
  fs::current_path(before);
  EXPECT_THAT(synced, ElementsAre("."));
}

TEST_F(DurableFolder, SaysWhatFails) {
  std::ofstream(root / "file") << "x";
  EXPECT_TRUE(make(root / "file" / "a"));
  EXPECT_TRUE(make(root / "file"));
  const auto failing = [](const fs::path&) { return std::make_error_code(std::errc::io_error); };
  EXPECT_EQ(make_durable_folder(root / "b", failing), std::errc::io_error);
  EXPECT_FALSE(sync_folder(root));
  EXPECT_TRUE(sync_folder(root / "missing"));
}

}  // namespace
}  // namespace parley
