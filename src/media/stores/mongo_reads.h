// What the MongoDB store answers from a snapshot. Throw mongo::Failure.
#pragma once
#include <string>
#include <vector>

#include "events/mongo_event_log.h"
#include "media/media_store.h"

namespace parley::media::mongodb {

std::vector<File> get_files(mongo::Database& db, const TenantId& tenant, const std::vector<FileId>& ids);
Page<File> list_files(mongo::Database& db, const ListFiles& query);
std::vector<Upload> uploads_to_finish(mongo::Database& db, std::size_t limit);
std::vector<FileId> files_to_purge(mongo::Database& db, WallTime deleted_before, std::size_t limit);
Page<KnownBlob> scan_blobs(mongo::Database& db, const std::optional<FileId>& after, std::size_t limit);
std::vector<KnownBlob> find_blobs(mongo::Database& db, const std::vector<FileId>& ids);
// What a recount finds that the counters do not say, and uploads or files that are not as they should be: sentences,
// for tests and `parley check`. Long.
std::vector<std::string> find_problems(mongo::Database& db);

// The data of file.uploaded, as the file is now.
void resolve_file_events(mongo::Database& db, std::vector<events::MongoEventLog::Referring>& events);

}  // namespace parley::media::mongodb
