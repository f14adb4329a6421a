// The store's write jobs: functions of a WriteContext and a command. Each runs on a writer's thread inside its
// transaction, looks before its first write for all that it may fail of, and may be run again after an abort. Throw
// mongo::Failure.
#pragma once
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "drivers/mongo/group_writer.h"
#include "events/mongo_events.h"
#include "media/media_store.h"
#include "media/stores/mongo_account.h"

namespace parley::media::mongodb {

struct WriteContext {
  mongo::GroupTransaction& db;
  const QuotaLimits& limits;
  WallTime now;
  Random& random;  // for the ids of events
};

// mongo_file_writes.cc
Result<File> delete_file(WriteContext& write, const TenantId& tenant, const FileId& file, const UserId& by);
Result<> set_picture(WriteContext& write, const FilePicture& picture);
// See UploadRows.
void append_uploaded(WriteContext& write, QuotaAccount& account, const File& file);

// mongo_sweep.cc
std::vector<FileId> forget_expired_uploads(WriteContext& write, WallTime expired_before, std::size_t limit);
std::vector<FileId> forget_whole_uploads(WriteContext& write, WallTime began_before, std::size_t limit);
// Complete ones: only the memory of them.
std::size_t forget_complete_uploads(WriteContext& write, WallTime expired_before, std::size_t limit);
void forget_purged(WriteContext& write, const std::vector<FileId>& files);

}  // namespace parley::media::mongodb
