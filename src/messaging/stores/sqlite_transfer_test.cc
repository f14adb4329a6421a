// A move from one folder to another: the contract of moves over the SQLite adapter alone.
#include "messaging/stores/sqlite_transfer.h"

#include "drivers/sqlite/temp_folder.h"
#include "messaging/stores/sqlite_messaging_store.h"
#include "messaging/testing/sqlite_move_side.h"

namespace parley::messaging::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(SqliteToSqlite, StoreTransferContract,
                         ::testing::Values(MovePair{make_sqlite_side, make_sqlite_side}));

TEST(SqliteTransferTest, AFolderWithoutAStoreIsNoSource) {
  const sqlite::TempFolder folder;
  const auto opened = SqliteTransfer::open_source(folder.path() / "messaging", sqlite::MoveLock::kBesideServers);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "not_our_file");
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "messaging"));
}

TEST(SqliteTransferTest, AServedFolderIsReadButNotOursAlone) {
  const sqlite::TempFolder folder;
  const SystemClock clock;
  SecureRandom random;
  auto store = SqliteMessagingStore::open({.folder = folder.path() / "messaging"}, clock, random);
  ASSERT_TRUE(store);
  EXPECT_TRUE(SqliteTransfer::open_source(folder.path() / "messaging", sqlite::MoveLock::kBesideServers));
  const auto alone = SqliteTransfer::open_source(folder.path() / "messaging", sqlite::MoveLock::kAlone);
  ASSERT_FALSE(alone);
  EXPECT_EQ(alone.error().code, "folder_locked");
  const auto target = SqliteTransfer::open_target(folder.path() / "messaging");
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().code, "folder_locked");
}

}  // namespace
}  // namespace parley::messaging::testing
