#include "drivers/sqlite/connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace parley::sqlite {

namespace {

constexpr int kProgressSteps = 20'000;  // virtual machine steps between two looks at the deadline

[[noreturn]] void raise(sqlite3* handle, int code) {
  const int extended = handle ? sqlite3_extended_errcode(handle) : code;
  throw Failure(extended == SQLITE_OK ? code : extended,
                handle ? std::string(sqlite3_errmsg(handle)) : std::string(sqlite3_errstr(code)));
}

// The database file with its mode, before SQLite makes it with one of its own.
void create_private_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw Failure(SQLITE_CANTOPEN, fmt::format("cannot open the database file: {}", std::strerror(errno)));
  ::fchmod(fd, 0600);
  ::close(fd);
}

void sync_path(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    throw Failure(SQLITE_IOERR_FSYNC, fmt::format("cannot sync a file: {}", std::strerror(error)));
  }
  ::close(fd);
}

}  // namespace

Error to_error(const Failure& failure) {
  switch (failure.primary_code()) {
    case SQLITE_FULL:
      return {ErrorKind::kNoRoom, "storage_full", "There is no room to store this.", {}, {}};
    case SQLITE_INTERRUPT:
      return {ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the answer came.", {}, {}};
    default:
      return {ErrorKind::kUnavailable,
              "unavailable",
              "The store does not answer as it should; try again shortly.",
              {},
              std::chrono::seconds(1)};
  }
}

bool is_unique_violation(const Failure& failure) {
  return failure.code() == SQLITE_CONSTRAINT_UNIQUE || failure.code() == SQLITE_CONSTRAINT_PRIMARYKEY ||
         failure.code() == SQLITE_CONSTRAINT_ROWID;
}

Connection::Connection(const ConnectionOptions& options) {
  if (!options.read_only) create_private_file(options.file);
  const int flags = (options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(options.file.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    const std::string text = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
    sqlite3_close_v2(handle_);
    throw Failure(code, text);
  }
  try {
    sqlite3_extended_result_codes(handle_, 1);
    // Only GroupWriter checkpoints: before SQLite 3.51.3 a checkpoint that races a commit can lose it.
    sqlite3_wal_autocheckpoint(handle_, 0);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    if (options.read_only) {
      sqlite3_busy_timeout(handle_, 1000);
      exec("PRAGMA query_only=1");
    } else {
      if (query_text("PRAGMA journal_mode=WAL") != "wal") throw Failure(SQLITE_CANTOPEN, "cannot switch to WAL");
      exec("PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA foreign_keys=OFF");
    }
    exec("PRAGMA temp_store=MEMORY");
    exec(fmt::format("PRAGMA cache_size=-{}", options.cache_kib).c_str());
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Connection::~Connection() {
  for (auto& [sql, cached] : cache_) sqlite3_finalize(cached.statement);
  sqlite3_close_v2(handle_);
}

void Connection::exec(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(handle_, code);
}

namespace {

// The first column of the first row, by a statement of its own: for pragmas and one-off questions.
template <class Take>
auto first_column(sqlite3* handle, const char* sql, Take take) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(handle, sql, -1, &raw, nullptr);
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  if (code != SQLITE_OK) raise(handle, code);
  const int stepped = sqlite3_step(raw);
  if (stepped != SQLITE_ROW && stepped != SQLITE_DONE) raise(handle, stepped);
  return take(stepped == SQLITE_ROW ? raw : nullptr);
}

}  // namespace

std::int64_t Connection::query_int(const char* sql) {
  return first_column(handle_, sql, [](sqlite3_stmt* row) { return row ? sqlite3_column_int64(row, 0) : 0; });
}

std::string Connection::query_text(const char* sql) {
  return first_column(handle_, sql, [](sqlite3_stmt* row) {
    const auto* text = row ? reinterpret_cast<const char*>(sqlite3_column_text(row, 0)) : nullptr;
    return std::string(text ? text : "");
  });
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

void Connection::set_deadline(const Clock& clock, SteadyTime at) {
  clock_ = &clock;
  deadline_ = at;
  if (at == SteadyTime::max()) {
    sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
    return;
  }
  sqlite3_progress_handler(
      handle_, kProgressSteps,
      [](void* self) {
        const auto* connection = static_cast<const Connection*>(self);
        return connection->clock_->steady_now() >= connection->deadline_ ? 1 : 0;
      },
      this);
}

Connection::Cached& Connection::cached(const char* sql) {
  Cached& cached = cache_[sql];
  if (!cached.statement) {
    const int code = sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &cached.statement, nullptr);
    if (code != SQLITE_OK) {
      cache_.erase(sql);
      raise(handle_, code);
    }
  }
  return cached;
}

void Query::check(int code) const {
  if (code != SQLITE_OK) raise(connection_.handle_, code);
}

bool Query::step() {
  const int code = sqlite3_step(cached_.statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  raise(connection_.handle_, code);
}

std::int64_t Query::run() {
  while (step()) {
  }
  return connection_.changes();
}

std::string_view Query::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(cached_.statement, column));
  if (!bytes) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(cached_.statement, column))};
}

Blob Query::blob(int column) const {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(cached_.statement, column));
  if (!bytes) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(cached_.statement, column))};
}

void Query::bind(int at, std::int64_t value) {
  check(sqlite3_bind_int64(cached_.statement, at, value));
}

void Query::bind(int at, std::string_view value) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* bytes = value.data() ? value.data() : "";
  check(sqlite3_bind_text64(cached_.statement, at, bytes, value.size(), lifetime_, SQLITE_UTF8));
}

void Query::bind(int at, Blob value) {
  if (value.empty()) return check(sqlite3_bind_zeroblob(cached_.statement, at, 0));
  check(sqlite3_bind_blob64(cached_.statement, at, value.data(), value.size(), lifetime_));
}

void Query::bind(int at, std::nullopt_t) {
  check(sqlite3_bind_null(cached_.statement, at));
}

void Query::bind(int at, Pointer value) {
  check(sqlite3_bind_pointer(cached_.statement, at, const_cast<void*>(value.to), value.type, nullptr));
}

void backup(Connection& source, const std::filesystem::path& target) {
  std::error_code error;
  // SQLite would play that log into the copy.
  if (const auto log_bytes = std::filesystem::file_size(target.string() + "-wal", error); !error && log_bytes > 0) {
    throw Failure(SQLITE_CANTOPEN, "the target has the write-ahead log of another database beside it");
  }
  const std::filesystem::path unfinished = target.string() + ".unfinished";
  std::filesystem::remove(unfinished, error);
  create_private_file(unfinished);
  {
    sqlite3* copy = nullptr;
    const int opened = sqlite3_open_v2(unfinished.c_str(), &copy, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> closing(copy, sqlite3_close_v2);
    if (opened != SQLITE_OK) raise(copy, opened);
    sqlite3_backup* const run = sqlite3_backup_init(copy, "main", source.handle(), "main");
    if (!run) raise(copy, SQLITE_ERROR);
    const int stepped = sqlite3_backup_step(run, -1);  // all pages: one read transaction, hence one snapshot
    const int finished = sqlite3_backup_finish(run);
    if (stepped != SQLITE_DONE) throw Failure(stepped, sqlite3_errstr(stepped));
    if (finished != SQLITE_OK) raise(copy, finished);
  }
  sync_path(unfinished);
  std::filesystem::rename(unfinished, target, error);
  if (error) {
    const std::string why = error.message();
    std::filesystem::remove(unfinished, error);
    throw Failure(SQLITE_CANTOPEN, fmt::format("the copy cannot take its place: {}", why));
  }
  sync_path(target.has_parent_path() ? target.parent_path() : std::filesystem::path("."));
}

}  // namespace parley::sqlite
