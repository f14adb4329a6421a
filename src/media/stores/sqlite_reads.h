// The store's reads: each in one snapshot, on a reader's thread. Throws sqlite::Failure.
#pragma once
#include <string>
#include <vector>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "events/sqlite_event_log.h"
#include "media/media_store.h"

namespace parley::media {

Result<std::vector<File>> get_files(sqlite::Connection& db, const TenantId& tenant, const std::vector<FileId>& files);
Page<File> list_files(sqlite::Connection& db, const ListFiles& query);

// For the sweeper and `parley check`, over all tenants.
std::vector<Upload> uploads_to_finish(sqlite::Connection& db, std::size_t limit);
std::vector<FileId> files_to_purge(sqlite::Connection& db, WallTime deleted_before, std::size_t limit);
Page<KnownBlob> scan_blobs(sqlite::Connection& db, const std::optional<FileId>& after, std::size_t limit);
std::vector<KnownBlob> find_blobs(sqlite::Connection& db, const std::vector<FileId>& ids);

// The data of file.uploaded as it is to be told now.
std::string resolve_file_event(sqlite::Connection& db, const events::Event& event, events::EventReference reference);

}  // namespace parley::media
