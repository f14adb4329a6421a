// A move between a folder and a real MongoDB, each way: the contract of media's moves.
#include "media/stores/mongo_transfer.h"

#include "drivers/mongo/temp_database.h"
#include "media/stores/mongo_media_store.h"
#include "media/testing/sqlite_media_move_side.h"

namespace parley::media::testing {
namespace {

class MongoMediaMoveSide final : public MediaMoveSide {
 public:
  MongoMediaMoveSide(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  Result<> serve() override {
    auto opened = MongoMediaStore::open(
        {.connection = database_.options(), .limits = {}, .reader_threads = 2, .writer_lanes = 2}, clock_, random_);
    if (!opened) return fail(std::move(opened.error()));
    store_ = std::move(*opened);
    return {};
  }
  void stop() override { store_.reset(); }
  MediaStore& store() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto found = run_on_loop(loop, store_->check(SteadyTime::max()));
    return found ? *found : std::vector{found.error().detail};
  }
  std::unique_ptr<transfer::MediaReader> source() override {
    auto opened = MongoMediaTransfer::open_source(database_.options(), system_clock_);
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  std::unique_ptr<transfer::MediaWriter> target() override {
    auto opened = MongoMediaTransfer::open_target(database_.options(), system_clock_, random_);
    CHECK(opened.has_value());
    return std::move(*opened);
  }

 private:
  const Clock& clock_;
  Random& random_;
  const SystemClock system_clock_;
  mongo::TempDatabase database_;
  std::unique_ptr<MongoMediaStore> store_;
};

std::unique_ptr<MediaMoveSide> make_mongo_media_side(const Clock& clock, Random& random) {
  return mongo::test_uri() ? std::make_unique<MongoMediaMoveSide>(clock, random) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(SqliteToMongo, MediaTransferContract,
                         ::testing::Values(MediaMovePair{make_sqlite_media_side, make_mongo_media_side}));
INSTANTIATE_TEST_SUITE_P(MongoToSqlite, MediaTransferContract,
                         ::testing::Values(MediaMovePair{make_mongo_media_side, make_sqlite_media_side}));

}  // namespace
}  // namespace parley::media::testing
