#include "messaging/stores/sqlite_messaging_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "messaging/stores/sqlite_schema.h"
#include "messaging/testing/messaging_store_contract.h"

namespace parley::messaging {
namespace {

using testing::MessagingStoreContract;

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "parley-store-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class SqliteUnderTest final : public testing::StoreUnderTest {
 public:
  SqliteUnderTest(const Clock& clock, Random& random) : clock_(clock), random_(random) { open(); }
  MessagingStore& store() override { return *store_; }
  MessagingScan& scan() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  void reopen() override {
    store_.reset();
    open();
  }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto report = run_on_loop(loop, store_->check(SteadyTime::max()));
    return report ? report->problems : std::vector{report.error().detail};
  }

 private:
  void open() {
    auto opened =
        SqliteMessagingStore::open({.folder = folder_.path() / "messaging", .reader_threads = 2}, clock_, random_);
    CHECK(opened.has_value());
    store_ = std::move(*opened);
  }
  const Clock& clock_;
  Random& random_;
  TempFolder folder_;
  std::unique_ptr<SqliteMessagingStore> store_;
};

std::unique_ptr<testing::StoreUnderTest> make_sqlite_store(const Clock& clock, Random& random) {
  return std::make_unique<SqliteUnderTest>(clock, random);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Sqlite, MessagingStoreContract, ::testing::Values(make_sqlite_store),
                         [](const auto&) { return std::string("Sqlite"); });
}  // namespace testing

}  // namespace parley::messaging
