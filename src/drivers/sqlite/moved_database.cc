#include "drivers/sqlite/moved_database.h"

#include <fmt/format.h>

namespace parley::sqlite {

namespace {
constexpr int kCacheKib = 64 * 1024;
}  // namespace

Result<std::unique_ptr<MovedDatabase>> MovedDatabase::open_source(const std::filesystem::path& folder, const Kind& kind,
                                                                  MoveLock lock) {
  auto made = std::unique_ptr<MovedDatabase>(new MovedDatabase(folder));
  const std::filesystem::path file = folder / kind.file;
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return unavailable("not_our_file", fmt::format("{} holds no {} store.", folder.string(), kind.name));
  }
  if (lock == MoveLock::kAlone) {
    auto locked = LockedFolder::open(folder);
    if (!locked) return fail(std::move(locked.error()));
    made->lock_.emplace(std::move(*locked));
  }
  try {
    made->db_ =
        std::make_unique<Connection>(ConnectionOptions{.file = file, .read_only = true, .cache_kib = kCacheKib});
    if (made->db_->query_int("PRAGMA application_id") != kind.application_id ||
        made->db_->query_int("PRAGMA user_version") != kind.migrations.back().version) {
      return unavailable("not_our_file",
                         fmt::format("{} holds no {} store of this version; a server of this version that is started "
                                     "on it once brings it up to date.",
                                     folder.string(), kind.name));
    }
    return made;
  } catch (const Failure& failure) {
    return fail(made->give_up(failure));
  }
}

Result<std::unique_ptr<MovedDatabase>> MovedDatabase::open_target(const std::filesystem::path& folder,
                                                                  const Kind& kind) {
  auto made = std::unique_ptr<MovedDatabase>(new MovedDatabase(folder));
  auto locked = LockedFolder::open(folder);
  if (!locked) return fail(std::move(locked.error()));
  made->lock_.emplace(std::move(*locked));
  try {
    made->db_ = std::make_unique<Connection>(ConnectionOptions{.file = folder / kind.file, .cache_kib = kCacheKib});
    auto migrated = migrate(*made->db_, kind.application_id, kind.migrations);
    if (!migrated) return fail(std::move(migrated.error()));
    return made;
  } catch (const Failure& failure) {
    return fail(made->give_up(failure));
  }
}

Result<> MovedDatabase::settle() {
  try {
    db_->exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return {};
  } catch (const Failure& failure) {
    return fail(give_up(failure));
  }
}

Error MovedDatabase::give_up(const Failure& failure) {
  Error error = to_error(failure);
  error.detail = fmt::format("{}: {}", folder_.string(), failure.what());
  if (db_ && db_->in_transaction()) db_->exec("ROLLBACK");
  return error;
}

}  // namespace parley::sqlite
