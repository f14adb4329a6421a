// MovedDatabase: a role's database as `parley migrate` reads it or fills it. As a source it is only read, beside a
// running server or, to be sure that nothing changes any more, with the folder locked; as a target the folder is made,
// migrated and locked. For a command on its one thread; owned by an adapter.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "base/result.h"
#include "drivers/sqlite/connection.h"
#include "drivers/sqlite/folder.h"
#include "drivers/sqlite/migrations.h"

namespace parley::sqlite {

enum class MoveLock { kBesideServers, kAlone };

class MovedDatabase {
 public:
  struct Kind {
    const char* file;
    std::int32_t application_id;
    std::span<const Migration> migrations;
    const char* name;  // for the operator
  };
  // fail: not_our_file where the folder holds no store of this version, folder_locked while a server runs on it and it
  // is to be ours alone.
  static Result<std::unique_ptr<MovedDatabase>> open_source(const std::filesystem::path& folder, const Kind& kind,
                                                            MoveLock lock);
  static Result<std::unique_ptr<MovedDatabase>> open_target(const std::filesystem::path& folder, const Kind& kind);

  // In one snapshot.
  template <class T, class Work>
  Result<T> read(Work work) {
    try {
      db_->exec("BEGIN");
      T answer = work(*db_);
      db_->exec("COMMIT");
      return answer;
    } catch (const Failure& failure) {
      return fail(give_up(failure));
    }
  }
  // In one transaction, which is on disk afterwards.
  template <class Work>
  Result<> write(Work work) {
    try {
      db_->exec("BEGIN IMMEDIATE");
      work(*db_);
      db_->exec("COMMIT");
      // Nobody else has the database open.
      db_->exec("PRAGMA wal_checkpoint(PASSIVE)");
      return {};
    } catch (const Failure& failure) {
      return fail(give_up(failure));
    }
  }
  // All of it in the one file.
  Result<> settle();

 private:
  explicit MovedDatabase(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Error give_up(const Failure& failure);

  const std::filesystem::path folder_;
  std::optional<LockedFolder> lock_;
  std::unique_ptr<Connection> db_;
};

}  // namespace parley::sqlite
