// A move from one folder to another: the contract of media's moves over the SQLite adapter alone.
#include "media/testing/sqlite_media_move_side.h"

namespace parley::media::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(SqliteToSqlite, MediaTransferContract,
                         ::testing::Values(MediaMovePair{make_sqlite_media_side, make_sqlite_media_side}));

TEST(SqliteMediaTransferTest, AFolderWithoutAStoreIsNoSource) {
  const sqlite::TempFolder folder;
  const auto opened = SqliteMediaTransfer::open_source(folder.path() / "media", sqlite::MoveLock::kBesideServers);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, "not_our_file");
}

}  // namespace
}  // namespace parley::media::testing
