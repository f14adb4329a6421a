#include "media/stores/sqlite_media_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "drivers/sqlite/temp_folder.h"
#include "media/stores/sqlite_blob_records.h"
#include "media/stores/sqlite_reads.h"
#include "media/stores/sqlite_schema.h"
#include "media/stores/sqlite_upload_rows.h"
#include "media/testing/media_store_contract.h"

namespace parley::media {
namespace {

using sqlite::TempFolder;
using testing::MediaStoreContract;

std::vector<events::Event> read_all(events::EventLog& log, EventLoop& loop) {
  std::vector<events::Event> all;
  for (events::LogOffset after;;) {
    auto batch = run_on_loop(loop, log.read(after, 100, SteadyTime::max()));
    CHECK(batch.has_value());
    if (batch->events.empty()) return all;
    after = batch->through;
    std::ranges::move(batch->events, std::back_inserter(all));
  }
}

class SqliteUnderTest final : public testing::MediaStoreUnderTest {
 public:
  SqliteUnderTest(const Clock& clock, Random& random) : clock_(clock), random_(random) { open(); }
  MediaStore& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    open();
  }
  std::vector<events::Event> events(EventLoop& loop) override { return read_all(store_->event_log(), loop); }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto report = run_on_loop(loop, store_->check(SteadyTime::max()));
    return report ? report->problems : std::vector{report.error().detail};
  }

 private:
  void open() {
    auto opened = SqliteMediaStore::open({.folder = folder_.path() / "media", .limits = testing::kLimitsUnderTest},
                                         clock_, random_);
    CHECK(opened.has_value());
    store_ = std::move(*opened);
  }
  const Clock& clock_;
  Random& random_;
  TempFolder folder_;
  std::unique_ptr<SqliteMediaStore> store_;
};

std::unique_ptr<testing::MediaStoreUnderTest> make_sqlite_store(const Clock& clock, Random& random) {
  return std::make_unique<SqliteUnderTest>(clock, random);
}

class SqliteMediaStoreTest : public ::testing::Test {
 protected:
  SqliteMediaStoreTest() : random_(1), loops_(1) { loops_.start(); }
  ~SqliteMediaStoreTest() override {
    store_.reset();
    loops_.stop();
  }
  std::filesystem::path folder() const { return temp_.path() / "media"; }
  std::filesystem::path file() const { return folder() / kMediaDatabase; }
  Result<std::unique_ptr<SqliteMediaStore>> try_open() {
    return SqliteMediaStore::open({.folder = folder(), .limits = limits_}, clock_, random_);
  }
  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  Upload begin(std::uint64_t bytes) {
    Upload upload;
    upload.id = FileId(make_uuid_v7(clock_.wall_now(), random_));
    upload.tenant = TenantId("acme");
    upload.owner = UserId("ann");
    upload.filename = "name";
    upload.size = upload.reserved = bytes;
    upload.created_at = clock_.wall_now();
    upload.expires_at = clock_.wall_now() + std::chrono::hours(1);
    auto begun = wait(store_->begin_upload(upload, SteadyTime::max()));
    EXPECT_TRUE(begun) << begun.error().detail;
    return upload;
  }
  Result<File> finish(const Upload& upload) {
    return wait(
        store_->finish_upload({upload.tenant, upload.id, "text/plain", *upload.size, {}}, {}, SteadyTime::max()));
  }
  void damage(const char* sql) { sqlite::Connection({.file = file()}).exec(sql); }
  static mode_t mode_of(const std::filesystem::path& path) {
    struct stat status{};
    CHECK(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
  }

  TempFolder temp_;
  ManualClock clock_;
  SeededRandom random_;
  EventLoops loops_;
  QuotaLimits limits_;
  std::unique_ptr<SqliteMediaStore> store_;
};

TEST_F(SqliteMediaStoreTest, ItsFolderIsPrivateAndOfOneServer) {
  open();
  EXPECT_EQ(mode_of(folder()), 0700u);
  EXPECT_EQ(mode_of(file()), 0600u);
  EXPECT_EQ(try_open().error().code, "folder_locked");
  store_.reset();
  EXPECT_TRUE(try_open());
}

TEST_F(SqliteMediaStoreTest, OnlyItsOwnerHearsOfAFileFromMemory) {
  open();
  const Upload upload = begin(3);
  ASSERT_TRUE(finish(upload));
  const auto own = [&](const char* user) {
    return wait(store_->get_own_file(upload.tenant, UserId(user), upload.id, SteadyTime::max()));
  };
  EXPECT_EQ(own("ann")->filename, "name");
  EXPECT_EQ(own("bob").error().code, "not_found");
  damage("UPDATE files SET filename = 'behind the back', owner = 'bob'");
  EXPECT_EQ(own("ann")->filename, "name");
  EXPECT_EQ(own("bob")->filename, "behind the back") << "his question goes to the database, as one about no file does";
}

TEST_F(SqliteMediaStoreTest, AFileThatWasReadIsReadFromMemoryUntilItChanges) {
  open();
  const Upload upload = begin(3);
  ASSERT_TRUE(finish(upload));
  const auto get = [&] { return wait(store_->get_file(upload.tenant, upload.id, SteadyTime::max())); };
  ASSERT_TRUE(get());
  damage("UPDATE files SET filename = 'behind the back'");
  EXPECT_EQ(get()->filename, "name");
  EXPECT_FALSE(wait(store_->get_file(TenantId("beta"), upload.id, SteadyTime::max())));

  const FilePicture picture{upload.tenant, upload.id, ImageSize{4, 3}, {ThumbnailSize::kSmall}};
  ASSERT_TRUE(wait(store_->set_picture(picture, SteadyTime::max())));
  EXPECT_EQ(get()->filename, "behind the back");
  EXPECT_EQ(get()->image, (ImageSize{4, 3}));

  ASSERT_TRUE(wait(store_->delete_file(upload.tenant, upload.id, upload.owner, SteadyTime::max())));
  EXPECT_EQ(get().error().code, "not_found");
}

TEST_F(SqliteMediaStoreTest, AFileOfTheFirstSchemaIsBroughtForwardAndReadOn) {
  std::filesystem::create_directories(folder());
  {
    sqlite::Connection old({.file = file()});
    ASSERT_TRUE(sqlite::migrate(old, kMediaApplicationId, media_migrations(), 1));
    old.exec(
        "INSERT INTO files(id, tenant, owner, filename, content_type, size, sha256, created_at) VALUES("
        "x'0192f3a17c007a3e8f000000000000c1', 'acme', 'ann', 'old.txt', 'text/plain', 7, zeroblob(32), 5);"
        "INSERT INTO user_usage VALUES('acme', 'ann', 7, 0, 1, 0, 0);"
        "INSERT INTO tenant_usage VALUES('acme', 7, 0, 1);");
  }
  open();
  const FileId id("0192f3a1-7c00-7a3e-8f00-0000000000c1");
  const auto kept = wait(store_->get_file(TenantId("acme"), id, SteadyTime::max()));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->filename, "old.txt");
  EXPECT_EQ(wait(store_->get_usage(TenantId("acme"), UserId("ann"), SteadyTime::max()))->user.stored, 7u);
}

TEST_F(SqliteMediaStoreTest, AFileOfANewerProgramOrOfAnotherRoleIsRefused) {
  std::filesystem::create_directories(folder());
  damage("PRAGMA application_id=1347570765; PRAGMA user_version=9999");
  EXPECT_EQ(try_open().error().code, "schema_too_new");
  damage("PRAGMA application_id=7; PRAGMA user_version=0");
  EXPECT_EQ(try_open().error().code, "not_our_file");
  std::filesystem::remove_all(folder());
  std::filesystem::create_directories(folder());
  std::ofstream(file()) << std::string(4096, 'x');
  EXPECT_EQ(try_open().error().code, "unavailable");
}

TEST_F(SqliteMediaStoreTest, WithoutLimitsThereIsRoomForAnythingThatIsASize) {
  open();
  for (int i = 0; i < 3; ++i) begin(std::uint64_t{1} << 58);
  EXPECT_EQ(wait(store_->get_usage(TenantId("acme"), UserId("ann"), SteadyTime::max()))->user.limit, 0u);
  Upload beyond;
  beyond.id = FileId(make_uuid_v7(clock_.wall_now(), random_));
  beyond.tenant = TenantId("acme");
  beyond.owner = UserId("ann");
  beyond.reserved = UINT64_MAX;
  EXPECT_EQ(wait(store_->begin_upload(beyond, SteadyTime::max())).error().code, "quota_exceeded");
}

TEST_F(SqliteMediaStoreTest, ALimitThatIsLoweredKeepsWhatIsThereAndLetsItBeFinished) {
  open();
  const Upload upload = begin(500);
  store_.reset();
  limits_ = {.per_user = 100, .per_tenant = 100};
  open();
  EXPECT_TRUE(finish(upload));
  const Upload nothing = begin(0);
  EXPECT_EQ(wait(store_->reserve_more({nothing.tenant, nothing.id, 1, 10}, SteadyTime::max())).error().code,
            "quota_exceeded");
  EXPECT_EQ(wait(store_->reserve_more({nothing.tenant, nothing.id, 0, 10}, SteadyTime::max())), 0u);
  EXPECT_TRUE(wait(store_->delete_file(upload.tenant, upload.id, upload.owner, SteadyTime::max())));
  EXPECT_EQ(wait(store_->reserve_more({nothing.tenant, nothing.id, 1, 10}, SteadyTime::max())), 10u);
}

TEST_F(SqliteMediaStoreTest, AJobThatFailsAfterItsFirstWriteLeavesNothingOfIt) {
  open();
  const Upload upload = begin(10);
  // As a crash between the file's row and its event would: the log takes nothing.
  damage("CREATE TRIGGER full BEFORE INSERT ON event_log BEGIN SELECT RAISE(ABORT, 'no'); END");
  EXPECT_EQ(finish(upload).error().code, "unavailable");
  damage("DROP TRIGGER full");
  EXPECT_EQ(wait(store_->get_file(upload.tenant, upload.id, SteadyTime::max())).error().code, "not_found");
  EXPECT_EQ(wait(store_->get_usage(upload.tenant, upload.owner, SteadyTime::max()))->user.reserved, 10u);
  EXPECT_TRUE(finish(upload));
  EXPECT_THAT(wait(store_->check(SteadyTime::max()))->problems, ::testing::IsEmpty());
}

TEST_F(SqliteMediaStoreTest, ABackupTakenBesideARunningServerIsAStoreOfItsOwn) {
  open();
  ASSERT_TRUE(finish(begin(10)));
  begin(20);
  const auto target = temp_.path() / "backup" / kMediaDatabase;
  std::filesystem::create_directories(target.parent_path());
  ASSERT_TRUE(backup_media_folder(folder(), target));
  const auto report = check_media_folder(target.parent_path());
  ASSERT_TRUE(report) << report.error().detail;
  EXPECT_THAT(report->problems, ::testing::IsEmpty());
  EXPECT_EQ(report->files, 1);
  EXPECT_EQ(report->uploads, 1);
  EXPECT_EQ(report->deleted_files, 0);
  EXPECT_EQ(report->events, 1);
  ASSERT_TRUE(leave_uploads_out(target.parent_path()));
  const auto left = check_media_folder(target.parent_path());
  EXPECT_THAT(left->problems, ::testing::IsEmpty());
  EXPECT_EQ(left->files, 1);
  EXPECT_EQ(left->uploads, 0);
  EXPECT_FALSE(check_media_folder(temp_.path()));
  EXPECT_FALSE(backup_media_folder(temp_.path(), temp_.path() / "copy.db"));
}

TEST_F(SqliteMediaStoreTest, CheckNamesWhatIsWrong) {
  open();
  const Upload upload = begin(100);
  ASSERT_TRUE(wait(store_->add_part({upload.tenant, upload.id, {10, 20}, upload.expires_at}, SteadyTime::max())));
  const Upload done = begin(7);
  ASSERT_TRUE(finish(done));
  const Upload gone = begin(8);
  ASSERT_TRUE(finish(gone));
  ASSERT_TRUE(wait(store_->delete_file(gone.tenant, gone.id, gone.owner, SteadyTime::max())));
  store_.reset();
  ASSERT_THAT(check_media_folder(folder())->problems, ::testing::IsEmpty());
  // Each in a database of its own that is then as before.
  const auto problem_after = [this](const char* sql) {
    const std::filesystem::path kept = temp_.path() / "kept.db";
    std::filesystem::remove(kept);
    EXPECT_TRUE(backup_media_folder(folder(), kept));
    damage(sql);
    const auto report = check_media_folder(folder());
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file().string() + suffix);
    std::filesystem::rename(kept, file());
    return report && !report->problems.empty() ? report->problems.front() : std::string();
  };
  using ::testing::StartsWith;
  for (const char* sql : {"UPDATE user_usage SET stored = 8", "UPDATE user_usage SET reserved = 0",
                          "UPDATE user_usage SET files = 2", "UPDATE user_usage SET uploads = 0",
                          "DELETE FROM user_usage", "UPDATE uploads SET reserved = 1 WHERE NOT complete",
                          "INSERT INTO user_usage VALUES('acme', 'bob', 1, 0, 0, 0, 0)"}) {
    EXPECT_THAT(problem_after(sql), StartsWith("a user's quota is miscounted: tenant acme, user ")) << sql;
  }
  for (const char* sql : {"UPDATE tenant_usage SET stored = 8", "UPDATE tenant_usage SET reserved = 0",
                          "UPDATE tenant_usage SET files = 2", "DELETE FROM tenant_usage"}) {
    EXPECT_THAT(problem_after(sql), StartsWith("a tenant's quota is miscounted: tenant acme")) << sql;
  }
  EXPECT_THAT(problem_after("INSERT INTO upload_ranges VALUES(randomblob(16), 0, 1)"),
              StartsWith("a part of no upload"));
  for (const char* sql : {"INSERT INTO upload_ranges SELECT upload, 20, 30 FROM upload_ranges WHERE first_byte = 10",
                          "INSERT INTO upload_ranges SELECT upload, 5, 11 FROM upload_ranges WHERE first_byte = 10",
                          "UPDATE upload_ranges SET end_byte = 10 WHERE first_byte = 10"}) {
    EXPECT_THAT(problem_after(sql), StartsWith("parts that are empty, overlap or touch")) << sql;
  }
  EXPECT_THAT(problem_after("UPDATE upload_ranges SET end_byte = 101 WHERE first_byte = 10"),
              StartsWith("a part beyond the upload's end"));
  EXPECT_THAT(problem_after("UPDATE uploads SET reserved = 3 WHERE complete"),
              StartsWith("a complete upload that still reserves"));
  EXPECT_THAT(problem_after("UPDATE uploads SET owner = 'bob' WHERE complete"),
              StartsWith("a complete upload and its file are of different owners"));
  EXPECT_THAT(problem_after("UPDATE uploads SET complete = 0 WHERE size = 7; UPDATE user_usage SET uploads = 2"),
              StartsWith("an upload under way whose file is there"));
  EXPECT_THAT(problem_after("UPDATE event_log SET number = 9 WHERE number = 2"),
              StartsWith("event numbers are not dense"));
  EXPECT_THAT(problem_after("DELETE FROM event_log WHERE number = 3"), StartsWith("a user's last event is missing"));
  EXPECT_THAT(problem_after("UPDATE event_log SET type = 'x' WHERE number = 3"),
              StartsWith("files and their events differ in number"));
  EXPECT_THAT(problem_after("UPDATE event_log SET subject = 'x' WHERE number = 1"),
              StartsWith("a file without its event"));
  EXPECT_THAT(check_media_folder(folder())->problems, ::testing::IsEmpty());
}

TEST_F(SqliteMediaStoreTest, CountersAreMendedAndNothingElseIsTouched) {
  open();
  const Upload upload = begin(100);
  ASSERT_TRUE(wait(store_->add_part({upload.tenant, upload.id, {10, 20}, upload.expires_at}, SteadyTime::max())));
  ASSERT_TRUE(finish(begin(7)));
  EXPECT_EQ(wait(store_->mend(SteadyTime::max())), 0) << "all was well";
  for (const char* sql :
       {"UPDATE user_usage SET stored = 8", "UPDATE user_usage SET reserved = 0, uploads = 7",
        "UPDATE tenant_usage SET stored = 8, files = 0", "DELETE FROM tenant_usage", "DELETE FROM user_usage",
        "INSERT INTO user_usage VALUES('acme', 'bob', 1, 0, 0, 0, 0)", "INSERT INTO tenant_usage VALUES('x', 1, 1, 1)",
        "INSERT INTO upload_ranges VALUES(randomblob(16), 0, 1)", "UPDATE uploads SET reserved = 1 WHERE complete"}) {
    damage(sql);
    EXPECT_GT(wait(store_->mend(SteadyTime::max())).value_or(0), 0) << sql;
    EXPECT_THAT(wait(store_->check(SteadyTime::max()))->problems, ::testing::IsEmpty()) << sql;
    EXPECT_EQ(wait(store_->mend(SteadyTime::max())), 0) << sql;
  }
  EXPECT_EQ(wait(store_->get_usage(upload.tenant, upload.owner, SteadyTime::max()))->user,
            (UsageCount{.stored = 7, .reserved = 100, .files = 1}));
}

TEST_F(SqliteMediaStoreTest, WhatObjectsThereShouldBeIsReadBesideAServer) {
  open();
  const Upload upload = begin(100);
  const auto file = finish(begin(7));
  auto records = SqliteBlobRecords::open(folder(), clock_);
  ASSERT_TRUE(records) << records.error().detail;
  const auto page = wait((*records)->scan_blobs(std::nullopt, 10, SteadyTime::max()));
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items, wait(store_->scan_blobs(std::nullopt, 10, SteadyTime::max()))->items);
  EXPECT_EQ(page->items.size(), 2u);
  EXPECT_EQ(wait((*records)->find_blobs({upload.id}, SteadyTime::max()))->size(), 1u);
  EXPECT_EQ(SqliteBlobRecords::open(temp_.path(), clock_).error().code, "unavailable");
}

TEST_F(SqliteMediaStoreTest, NoQuestionTakesLongerWhereThereIsMuch) {
  open();
  store_.reset();
  sqlite::Connection db({.file = file()});
  // Of each kind 2,000: uploads under way, complete ones that are remembered, files, and deleted files.
  db.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
      "INSERT INTO uploads SELECT randomblob(16), 'acme', 'ann', i % 4, 'name', '', 100, NULL, 0, '', 100, i, i, 0 "
      "FROM n;"
      "INSERT INTO upload_ranges SELECT id, 10, 20 FROM uploads;"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
      "INSERT INTO files SELECT randomblob(16), 'acme', 'ann', 'name', 'text/plain', 10, zeroblob(32), i, NULL, NULL, "
      "0, NULL, NULL FROM n;"
      "INSERT INTO uploads SELECT id, 'acme', 'ann', 0, 'name', '', 10, NULL, 0, '', 0, created_at, created_at, 1 "
      "FROM files;"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
      "INSERT INTO files SELECT randomblob(16), 'acme', 'ann', 'name', 'text/plain', 10, zeroblob(32), i, NULL, NULL, "
      "0, i, 'ann' FROM n;"
      "INSERT INTO user_usage VALUES('acme', 'ann', 20000, 200000, 2000, 2000, 0);"
      "INSERT INTO tenant_usage VALUES('acme', 20000, 200000, 2000);");
  const auto wall = [](int ms) { return WallTime(std::chrono::milliseconds(ms)); };
  WriteContext write{db, limits_, clock_.wall_now(), random_};
  const TenantId tenant("acme");
  const auto blobs = scan_blobs(db, std::nullopt, 5);
  EXPECT_EQ(blobs.items.size(), 5u);
  EXPECT_EQ(scan_blobs(db, blobs.items.back().id, 5).items.size(), 5u);
  EXPECT_EQ(find_blobs(db, {blobs.items.front().id}).size(), 1u);
  EXPECT_EQ(list_files(db, {tenant, UserId("ann"), std::nullopt, 5}).items.size(), 5u);
  EXPECT_EQ(list_files(db, {tenant, UserId("ann"), FileListPoint{wall(1000), FileId()}, 5}).items.size(), 5u);
  EXPECT_EQ(files_to_purge(db, wall(1000), 5).size(), 5u);
  EXPECT_EQ(forget_expired_uploads(write, wall(1000), 5).size(), 5u);
  EXPECT_EQ(forget_whole_uploads(write, wall(1000), 5).size(), 5u);
  forget_purged(write, files_to_purge(db, wall(1000), 5));
  const Upload upload = {
      .id = FileId(make_uuid_v7(clock_.wall_now(), random_)), .tenant = tenant, .owner = UserId("ann")};
  SqliteUploadRows rows(write);
  ASSERT_TRUE(begin_upload(rows, limits_, upload));
  ASSERT_TRUE(reserve_more(rows, limits_, {tenant, upload.id, 1, 10}));
  ASSERT_TRUE(set_upload_size(rows, limits_, tenant, upload.id, 100));
  ASSERT_TRUE(add_part(rows, {tenant, upload.id, {0, 10}, clock_.wall_now()}));
  ASSERT_TRUE(finish_upload(rows, limits_, write.now, {tenant, upload.id, "text/plain", 100, {}}, {}));
  ASSERT_TRUE(delete_file(write, tenant, upload.id, UserId("ann")));
  std::size_t asked = 0;
  for (sqlite3_stmt* statement = nullptr; (statement = sqlite3_next_stmt(db.handle(), statement)) != nullptr;) {
    const char* sql = sqlite3_sql(statement);
    const int runs = std::max(1, sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_RUN, 0));
    EXPECT_EQ(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0), 0) << sql;
    EXPECT_EQ(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 0), 0) << sql;
    EXPECT_LT(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0) / runs, 500) << sql;
    ++asked;
  }
  EXPECT_GT(asked, 20u);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Sqlite, MediaStoreContract, ::testing::Values(make_sqlite_store),
                         [](const auto&) { return std::string("Sqlite"); });
}  // namespace testing

}  // namespace parley::media
