// MongoMediaTransfer: a media store in MongoDB, as what a move reads from or fills (media/transfer). For a command on
// its one thread; made and owned by app/.
#pragma once
#include <memory>

#include "base/random.h"
#include "drivers/mongo/moved_database.h"
#include "media/transfer/media_transfer.h"

namespace parley::media {

class MongoMediaTransfer final : public transfer::MediaWriter {
 public:
  // `clock` must outlive it. fail: not_our_database where there is no store, and as mongo::ClientPool says. The
  // target's collections and indexes are made.
  static Result<std::unique_ptr<MongoMediaTransfer>> open_source(mongo::ConnectionOptions connection,
                                                                 const Clock& clock);
  static Result<std::unique_ptr<MongoMediaTransfer>> open_target(mongo::ConnectionOptions connection,
                                                                 const Clock& clock, Random& random);

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
  explicit MongoMediaTransfer(std::unique_ptr<mongo::MovedDatabase> store) : store_(std::move(store)) {}

  const std::unique_ptr<mongo::MovedDatabase> store_;
};

}  // namespace parley::media
