// The side of a move that is a folder, for MediaTransferContract.
#pragma once
#include "drivers/sqlite/temp_folder.h"
#include "media/stores/sqlite_media_store.h"
#include "media/stores/sqlite_transfer.h"
#include "media/testing/media_transfer_contract.h"

namespace parley::media::testing {

class SqliteMediaMoveSide final : public MediaMoveSide {
 public:
  SqliteMediaMoveSide(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  Result<> serve() override {
    auto opened = SqliteMediaStore::open({.folder = folder(), .limits = {}}, clock_, random_);
    if (!opened) return fail(std::move(opened.error()));
    store_ = std::move(*opened);
    return {};
  }
  void stop() override { store_.reset(); }
  MediaStore& store() override { return *store_; }
  events::EventLog& log() override { return store_->event_log(); }
  std::vector<std::string> problems(EventLoop& loop) override {
    auto report = run_on_loop(loop, store_->check(SteadyTime::max()));
    return report ? report->problems : std::vector{report.error().detail};
  }
  std::unique_ptr<transfer::MediaReader> source() override {
    auto opened = SqliteMediaTransfer::open_source(
        folder(), store_ ? sqlite::MoveLock::kBesideServers : sqlite::MoveLock::kAlone);
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  std::unique_ptr<transfer::MediaWriter> target() override {
    auto opened = SqliteMediaTransfer::open_target(folder());
    CHECK(opened.has_value());
    return std::move(*opened);
  }

 private:
  std::filesystem::path folder() const { return temp_.path() / "media"; }
  const Clock& clock_;
  Random& random_;
  sqlite::TempFolder temp_;
  std::unique_ptr<SqliteMediaStore> store_;
};

inline std::unique_ptr<MediaMoveSide> make_sqlite_media_side(const Clock& clock, Random& random) {
  return std::make_unique<SqliteMediaMoveSide>(clock, random);
}

}  // namespace parley::media::testing
