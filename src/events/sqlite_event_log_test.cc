#include "events/sqlite_event_log.h"

#include "drivers/sqlite/temp_folder.h"
#include "events/testing/event_log_contract.h"

namespace parley::events {
namespace {

class SqliteLogUnderTest final : public testing::LogUnderTest {
 public:
  explicit SqliteLogUnderTest(const Clock& clock) : clock_(clock) {
    sqlite::Connection({.file = file()}).exec(kEventLogSchema);
    open();
  }
  ~SqliteLogUnderTest() override { close(); }
  EventLog& log() override { return *log_; }
  void reopen() override {
    close();
    open();
  }
  Task<Result<int>> append(std::int64_t first, std::int64_t last, WallTime time, Random& random) override {
    return writer_->run<int>(SteadyTime::max(), [=, &random](sqlite::Connection& db) -> Result<int> {
      for (std::int64_t number = first; number <= last; ++number) {
        events::append(db, {.id = make_uuid_v7_bytes(time, random),
                            .type = "thing.happened",
                            .tenant = "acme",
                            .key = "c",
                            .number = number,
                            .time = time,
                            .subject = "s",
                            .data = std::nullopt,
                            .reference = {number, 1}});
      }
      return 0;
    });
  }

 private:
  std::filesystem::path file() const { return folder_.path() / "x.db"; }
  void open() {
    readers_ = std::make_unique<sqlite::ReaderPool>(sqlite::ReaderPool::Options{.file = file(), .threads = 1}, clock_);
    writer_ = std::make_unique<sqlite::GroupWriter>(
        std::make_unique<sqlite::Connection>(sqlite::ConnectionOptions{.file = file()}),
        sqlite::GroupWriter::Options{.file = file(), .after_commit = [this] { signal_.notify(); }}, clock_);
    log_ = std::make_unique<SqliteEventLog>(
        *writer_, *readers_, signal_,
        [](sqlite::Connection&, const Event&, EventReference reference) {
          return "{\"row\":" + std::to_string(reference.row) + "}";
        },
        positions_);
  }
  void close() {
    log_.reset();
    writer_.reset();
    readers_.reset();
  }

  const Clock& clock_;
  sqlite::TempFolder folder_;
  const PositionCodec positions_{PositionCodec::Secret{}};
  CommitSignal signal_;
  std::unique_ptr<sqlite::ReaderPool> readers_;
  std::unique_ptr<sqlite::GroupWriter> writer_;
  std::unique_ptr<SqliteEventLog> log_;
};

std::unique_ptr<testing::LogUnderTest> make_sqlite_log(const Clock& clock) {
  return std::make_unique<SqliteLogUnderTest>(clock);
}

}  // namespace

namespace testing {
INSTANTIATE_TEST_SUITE_P(Sqlite, EventLogContract, ::testing::Values(make_sqlite_log));
INSTANTIATE_TEST_SUITE_P(Sqlite, ConsumerRunnerContract, ::testing::Values(make_sqlite_log));
}  // namespace testing

}  // namespace parley::events
