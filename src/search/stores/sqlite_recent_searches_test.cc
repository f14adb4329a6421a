// The contract over SQLite, and what is this adapter's own: its file.
#include "search/stores/sqlite_recent_searches.h"

#include <sys/stat.h>

#include <fstream>

#include "drivers/sqlite/temp_folder.h"
#include "search/testing/recent_searches_contract.h"

namespace parley::search::testing {
namespace {

class SqliteSearchesUnderTest final : public RecentSearchesUnderTest {
 public:
  explicit SqliteSearchesUnderTest(const Clock& clock) : clock_(clock) { reopen(); }
  RecentSearches& searches() override { return *searches_; }
  void reopen() override {
    searches_.reset();
    searches_ = SqliteRecentSearches::open({.folder = folder_.path() / "search", .life = kLife}, clock_).value();
  }

 private:
  sqlite::TempFolder folder_;
  const Clock& clock_;
  std::unique_ptr<SqliteRecentSearches> searches_;
};

std::unique_ptr<RecentSearchesUnderTest> make_sqlite_searches(const Clock& clock) {
  return std::make_unique<SqliteSearchesUnderTest>(clock);
}
INSTANTIATE_TEST_SUITE_P(Sqlite, RecentSearchesContract, ::testing::Values(make_sqlite_searches));

class SqliteRecentSearchesFile : public ::testing::Test {
 protected:
  SqliteRecentSearchesFile() : loops_(1) { loops_.start(); }
  auto open(std::chrono::days life = std::chrono::days(90)) {
    return SqliteRecentSearches::open({.folder = folder_.path(), .life = life}, clock_);
  }

  sqlite::TempFolder folder_;
  ManualClock clock_;
  EventLoops loops_;
};

TEST_F(SqliteRecentSearchesFile, IsItsOwnersAlone) {
  auto searches = open();
  ASSERT_TRUE(searches.has_value());
  struct stat status{};
  ASSERT_EQ(::stat((folder_.path() / kRecentDatabase).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(SqliteRecentSearchesFile, OfAnotherMakerIsRefused) {
  {
    sqlite::Connection other({.file = folder_.path() / kRecentDatabase});
    other.exec("PRAGMA application_id=7; CREATE TABLE x(y)");
  }
  EXPECT_EQ(open().error().code, "not_our_file");
}

TEST_F(SqliteRecentSearchesFile, InAFolderThatCannotBeIsUnavailable) {
  auto searches = SqliteRecentSearches::open({.folder = "/dev/null/search"}, clock_);
  ASSERT_FALSE(searches.has_value());
  EXPECT_EQ(searches.error().kind, ErrorKind::kUnavailable);
}

TEST_F(SqliteRecentSearchesFile, KeepsNothingOfWhatWasCleared) {
  {
    auto searches = open().value();
    const TenantId tenant("acme");
    const UserId ada("ada");
    ASSERT_TRUE(run_on_loop(loops_.at(0), searches->add(tenant, ada, "topsecret", SteadyTime::max())).has_value());
    ASSERT_TRUE(run_on_loop(loops_.at(0), searches->clear(tenant, ada, SteadyTime::max())).has_value());
  }
  std::ifstream in(folder_.path() / kRecentDatabase, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(bytes.find("topsecret"), std::string::npos);
}

TEST_F(SqliteRecentSearchesFile, WithoutALifeKeepsSearchesForGood) {
  auto searches = open(std::chrono::days(0)).value();
  const TenantId tenant("acme");
  const UserId ada("ada");
  ASSERT_TRUE(run_on_loop(loops_.at(0), searches->add(tenant, ada, "grub", SteadyTime::max())).has_value());
  clock_.advance(std::chrono::days(36'500));
  EXPECT_FALSE(run_on_loop(loops_.at(0), searches->sweep(10, SteadyTime::max())).value());
  EXPECT_EQ(run_on_loop(loops_.at(0), searches->list(tenant, ada, SteadyTime::max())).value().size(), 1u);
}

}  // namespace
}  // namespace parley::search::testing
