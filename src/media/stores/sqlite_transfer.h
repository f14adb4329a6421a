// SqliteMediaTransfer: a media store in a folder, as what a move reads from or fills (media/transfer). For a command on
// its one thread; made and owned by app/.
#pragma once
#include <filesystem>
#include <memory>

#include "drivers/sqlite/moved_database.h"
#include "media/transfer/media_transfer.h"

namespace parley::media {

class SqliteMediaTransfer final : public transfer::MediaWriter {
 public:
  // fail: as sqlite::MovedDatabase says.
  static Result<std::unique_ptr<SqliteMediaTransfer>> open_source(const std::filesystem::path& folder,
                                                                  sqlite::MoveLock lock);
  static Result<std::unique_ptr<SqliteMediaTransfer>> open_target(const std::filesystem::path& folder);

  Result<PositionSecret> position_secret() override;
  Result<transfer::LogEnd> log_end() override;
  Result<std::vector<transfer::FileRecord>> files(const KeyRange<FileId>& range) override;
  Result<std::vector<transfer::UploadRecord>> uploads(const KeyRange<FileId>& range) override;
  Result<std::vector<transfer::UsageRecord>> usage(const KeyRange<transfer::UsageName>& range) override;

  Result<std::optional<MoveMark>> mark() override;
  Result<bool> is_empty() override;
  Result<> begin(const MoveMark& mark, const PositionSecret& secret) override;
  Result<> put_files(std::span<const transfer::FileRecord> files) override;
  Result<> remove_files(std::span<const transfer::FileRecord> files) override;
  Result<> put_uploads(std::span<const transfer::UploadRecord> uploads) override;
  Result<> remove_uploads(std::span<const transfer::UploadRecord> uploads) override;
  Result<> put_usage(std::span<const transfer::UsageRecord> usage) override;
  Result<> finish(const transfer::LogEnd& end) override;

 private:
  explicit SqliteMediaTransfer(std::unique_ptr<sqlite::MovedDatabase> store) : store_(std::move(store)) {}

  const std::unique_ptr<sqlite::MovedDatabase> store_;
};

}  // namespace parley::media
