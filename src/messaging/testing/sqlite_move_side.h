// The side of a move that is a folder, for StoreTransferContract.
#pragma once
#include "drivers/sqlite/temp_folder.h"
#include "messaging/stores/sqlite_messaging_store.h"
#include "messaging/stores/sqlite_transfer.h"
#include "messaging/testing/store_transfer_contract.h"

namespace parley::messaging::testing {

class SqliteMoveSide final : public MoveSide {
 public:
  SqliteMoveSide(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  Result<> serve() override {
    auto opened = SqliteMessagingStore::open({.folder = folder(), .reader_threads = 2}, clock_, random_);
    if (!opened) return fail(std::move(opened.error()));
    store_ = std::move(*opened);
    return {};
  }
  void stop() override { store_.reset(); }
  MessagingStore& store() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  Task<Result<std::int64_t>> erase_deleted(std::int64_t limit) override {
    return store_->erase_deleted(limit, SteadyTime::max());
  }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto report = run_on_loop(loop, store_->check(SteadyTime::max()));
    return report ? report->problems : std::vector{report.error().detail};
  }
  std::unique_ptr<transfer::StoreReader> source() override {
    auto opened =
        SqliteTransfer::open_source(folder(), store_ ? sqlite::MoveLock::kBesideServers : sqlite::MoveLock::kAlone);
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  std::unique_ptr<transfer::StoreWriter> target() override {
    auto opened = SqliteTransfer::open_target(folder());
    CHECK(opened.has_value());
    return std::move(*opened);
  }

 private:
  std::filesystem::path folder() const { return temp_.path() / "messaging"; }
  const Clock& clock_;
  Random& random_;
  sqlite::TempFolder temp_;
  std::unique_ptr<SqliteMessagingStore> store_;
};

inline std::unique_ptr<MoveSide> make_sqlite_side(const Clock& clock, Random& random) {
  return std::make_unique<SqliteMoveSide>(clock, random);
}

}  // namespace parley::messaging::testing
