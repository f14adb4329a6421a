#include "drivers/sqlite/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "drivers/sqlite/folder.h"
#include "drivers/sqlite/migrations.h"
#include "drivers/sqlite/temp_folder.h"

namespace parley::sqlite {
namespace {

constexpr const char* kTable = "CREATE TABLE t(a INTEGER, b TEXT, c BLOB)";

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status{};
  CHECK(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

class ConnectionTest : public ::testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "x.db"; }
  TempFolder folder_;
};

TEST_F(ConnectionTest, ValuesComeBackAsTheyWentIn) {
  Connection db({.file = file()});
  db.exec(kTable);
  const std::string text("with\0nul and ü", 15);
  const std::array<std::uint8_t, 3> blob = {0, 255, 7};
  Query(db, "INSERT INTO t VALUES(?1, ?2, ?3)", std::int64_t{-5}, text, blob).run();
  Query(db, "INSERT INTO t VALUES(?1, ?2, ?3)", std::nullopt, std::string_view(), Blob()).run();
  Query(db, "INSERT INTO t VALUES(?1, ?2, ?3)", std::optional<std::int64_t>(), std::optional<std::string>("x"),
        std::nullopt)
      .run();
  Query rows(db, "SELECT a, b, c FROM t ORDER BY rowid");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.integer(0), -5);
  EXPECT_EQ(rows.text(1), text);
  EXPECT_THAT(rows.blob(2), ::testing::ElementsAre(0, 255, 7));
  ASSERT_TRUE(rows.step());
  EXPECT_TRUE(rows.is_null(0));
  EXPECT_FALSE(rows.is_null(1));
  EXPECT_EQ(rows.text(1), "");
  EXPECT_FALSE(rows.is_null(2));
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.optional_integer(0), std::nullopt);
  EXPECT_EQ(rows.optional_text(1), "x");
  EXPECT_FALSE(rows.step());
}

TEST_F(ConnectionTest, TheDatabaseIsPrivateAndInWal) {
  Connection db({.file = file()});
  db.exec(kTable);
  EXPECT_EQ(mode_of(file()), 0600u);
  EXPECT_EQ(mode_of(file().string() + "-wal"), 0600u);
  EXPECT_EQ(db.query_text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(db.query_int("PRAGMA synchronous"), 2);
  EXPECT_EQ(db.query_int("PRAGMA wal_autocheckpoint"), 0);
}

TEST_F(ConnectionTest, AReadOnlyConnectionCannotWrite) {
  Connection db({.file = file()});
  db.exec(kTable);
  Connection reader({.file = file(), .read_only = true});
  EXPECT_THROW(reader.exec("INSERT INTO t VALUES(1, 'x', NULL)"), Failure);
  EXPECT_EQ(reader.query_int("PRAGMA wal_autocheckpoint"), 0);
  EXPECT_THROW(Connection({.file = folder_.path() / "missing.db", .read_only = true}), Failure);
}

TEST_F(ConnectionTest, AStatementIsReusedAndGivenBackAfterAFailure) {
  Connection db({.file = file()});
  db.exec("CREATE TABLE u(a INTEGER UNIQUE)");
  static constexpr const char* kInsert = "INSERT INTO u VALUES(?1)";
  Query(db, kInsert, 1).run();
  try {
    Query(db, kInsert, 1).run();
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_TRUE(is_unique_violation(failure));
    EXPECT_EQ(to_error(failure).kind, ErrorKind::kUnavailable);
  }
  EXPECT_EQ(Query(db, kInsert, 2).run(), 1);
}

TEST_F(ConnectionTest, AQueryPastItsDeadlineIsStopped) {
  Connection db({.file = file()});
  ManualClock clock;
  db.set_deadline(clock, clock.steady_now());
  try {
    db.query_int(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000000) SELECT count(*) FROM n");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(to_error(failure).code, "deadline_exceeded");
  }
  db.set_deadline(clock, SteadyTime::max());
  EXPECT_EQ(db.query_int("SELECT 7"), 7);
}

TEST_F(ConnectionTest, ABackupIsAWholeSnapshotOfItsOwn) {
  Connection db({.file = file()});
  db.exec(kTable);
  db.exec("INSERT INTO t VALUES(1, 'x', NULL)");
  Connection reader({.file = file(), .read_only = true});
  const auto target = folder_.path() / "copy.db";
  backup(reader, target);
  db.exec("DELETE FROM t");
  EXPECT_EQ(mode_of(target), 0600u);
  Connection copy({.file = target});
  EXPECT_EQ(copy.query_int("SELECT count(*) FROM t"), 1);
  EXPECT_EQ(copy.query_text("PRAGMA integrity_check"), "ok");
  EXPECT_FALSE(std::filesystem::exists(target.string() + ".unfinished"));
  EXPECT_THROW(backup(reader, folder_.path() / "no such folder" / "copy.db"), Failure);
}

TEST_F(ConnectionTest, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(file()) << std::string(8192, 'x');
  EXPECT_THROW(Connection({.file = file()}), Failure);
}

constexpr Migration kTwo[] = {{1, "CREATE TABLE a(x INTEGER); INSERT INTO a VALUES(1)"},
                              {2, "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7"}};

TEST_F(ConnectionTest, AnOldFileIsBroughtForwardStepByStep) {
  {
    Connection old({.file = file()});
    ASSERT_TRUE(migrate(old, 42, kTwo, 1));
    EXPECT_EQ(old.query_int("PRAGMA user_version"), 1);
  }
  Connection db({.file = file()});
  ASSERT_TRUE(migrate(db, 42, kTwo));
  ASSERT_TRUE(migrate(db, 42, kTwo));
  EXPECT_EQ(db.query_int("PRAGMA user_version"), 2);
  EXPECT_EQ(db.query_int("SELECT y FROM a"), 7);
}

TEST_F(ConnectionTest, AMigrationThatFailsLeavesTheFileAsItWas) {
  Connection db({.file = file()});
  const Migration broken[] = {kTwo[0], {2, "CREATE TABLE b(x INTEGER); CREATE TABLE a(x INTEGER)"}};
  EXPECT_THROW((void)migrate(db, 42, broken), Failure);
  EXPECT_EQ(db.query_int("PRAGMA user_version"), 1);
  EXPECT_EQ(db.query_int("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
}

TEST_F(ConnectionTest, ANewerFileAndAForeignOneAreRefused) {
  Connection db({.file = file()});
  ASSERT_TRUE(migrate(db, 42, kTwo));
  EXPECT_EQ(migrate(db, 42, std::span(kTwo).first(1)).error().code, "schema_too_new");
  EXPECT_EQ(migrate(db, 43, kTwo).error().code, "not_our_file");
  Connection foreign({.file = folder_.path() / "foreign.db"});
  foreign.exec(kTable);
  EXPECT_EQ(migrate(foreign, 42, kTwo).error().code, "not_our_file");
}

TEST_F(ConnectionTest, AFolderHasOneServer) {
  const auto path = folder_.path() / "role";
  {
    const auto first = LockedFolder::open(path);
    ASSERT_TRUE(first);
    EXPECT_EQ(mode_of(path), 0700u);
    EXPECT_EQ(LockedFolder::open(path).error().code, "folder_locked");
  }
  EXPECT_TRUE(LockedFolder::open(path));
  std::ofstream(folder_.path() / "file") << "x";
  EXPECT_EQ(LockedFolder::open(folder_.path() / "file").error().code, "folder_unusable");
}

}  // namespace
}  // namespace parley::sqlite
