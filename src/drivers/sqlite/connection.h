// sqlite::Connection and Query: SQLite without its traps. A connection belongs to one thread at a time; a Query borrows
// a prepared statement from the connection's cache and gives it back reset. Knows no chat words.
//
// Failure: inside the driver and the adapters over it, exceptions (sqlite::Failure); to_error() makes the Error that
// may leave them. Nothing else throws it.
#pragma once
#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>

#include "base/check.h"
#include "base/clock.h"
#include "base/error.h"

namespace parley::sqlite {

// What SQLite answered, with its extended result code. The text is for the log, never for a caller.
class Failure : public std::exception {
 public:
  Failure(int code, std::string text) : code_(code), text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }
  int code() const { return code_; }
  int primary_code() const { return code_ & 0xff; }

 private:
  int code_;
  std::string text_;
};

// storage_full, deadline_exceeded (interrupted) or unavailable.
Error to_error(const Failure& failure);
// A unique index refused the row.
bool is_unique_violation(const Failure& failure);

using Blob = std::span<const std::uint8_t>;

// An object for a function of ours that statements call; `type` is compared as sqlite3_bind_pointer() says, and the
// object must outlive the Query.
struct Pointer {
  const void* to;
  const char* type;
};

struct ConnectionOptions {
  std::filesystem::path file;
  bool read_only = false;  // also query_only
  int cache_kib = 4096;
};

class Connection {
 public:
  // Opens (the writer also creates: mode 0600, WAL, synchronous FULL, secure_delete). No connection ever checkpoints by
  // itself, nor when it closes: see GroupWriter.
  explicit Connection(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // One or more statements without parameters or answers.
  void exec(const char* sql);
  std::int64_t query_int(const char* sql);
  std::string query_text(const char* sql);

  bool in_transaction() const;
  // Rows written since the connection was opened; tells whether a piece of work wrote anything.
  std::int64_t total_changes() const { return sqlite3_total_changes64(handle_); }
  std::int64_t last_insert_rowid() const { return sqlite3_last_insert_rowid(handle_); }
  std::int64_t changes() const { return sqlite3_changes64(handle_); }

  // Statements give up (deadline_exceeded) soon after `at` by `clock`; SteadyTime::max() lifts it.
  void set_deadline(const Clock& clock, SteadyTime at);

  sqlite3* handle() { return handle_; }

 private:
  friend class Query;
  struct Cached {
    sqlite3_stmt* statement = nullptr;
    bool in_use = false;
  };
  Cached& cached(const char* sql);

  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, Cached> cache_;  // by address: the texts are literals
  const Clock* clock_ = nullptr;
  SteadyTime deadline_ = SteadyTime::max();
};

// One run of a statement. `sql` must be a literal (it is the key of the cache). Bound lvalues must outlive
// the Query, temporaries are copied; columns are valid until the next step.
class Query {
 public:
  template <class... Values>
  Query(Connection& connection, const char* sql, Values&&... values)
      : connection_(connection), cached_(connection.cached(sql)) {
    CHECK(!cached_.in_use);
    cached_.in_use = true;
    [[maybe_unused]] int at = 0;
    ((lifetime_ = std::is_lvalue_reference_v<Values> ? SQLITE_STATIC : SQLITE_TRANSIENT, bind(++at, values)), ...);
  }
  ~Query() {
    sqlite3_reset(cached_.statement);
    sqlite3_clear_bindings(cached_.statement);
    cached_.in_use = false;
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Whether there is a (further) row.
  bool step();
  // For statements that answer nothing; the number of rows changed.
  std::int64_t run();

  std::int64_t integer(int column) const { return sqlite3_column_int64(cached_.statement, column); }
  std::string_view text(int column) const;
  Blob blob(int column) const;
  bool is_null(int column) const { return sqlite3_column_type(cached_.statement, column) == SQLITE_NULL; }
  std::optional<std::int64_t> optional_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  std::optional<std::string> optional_text(int column) const {
    return is_null(column) ? std::nullopt : std::optional(std::string(text(column)));
  }

 private:
  void bind(int at, std::int64_t value);
  void bind(int at, int value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, std::size_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, bool value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind(int at, std::string_view value);
  void bind(int at, const std::string& value) { bind(at, std::string_view(value)); }
  void bind(int at, const char* value) { bind(at, std::string_view(value)); }
  void bind(int at, Blob value);
  void bind(int at, std::nullopt_t);
  void bind(int at, Pointer value);
  template <std::size_t N>
  void bind(int at, const std::array<std::uint8_t, N>& value) {
    bind(at, Blob(value));
  }
  template <class T>
  void bind(int at, const std::optional<T>& value) {
    if (value) {
      bind(at, *value);
    } else {
      bind(at, std::nullopt);
    }
  }
  void check(int code) const;

  Connection& connection_;
  Connection::Cached& cached_;
  sqlite3_destructor_type lifetime_ = SQLITE_TRANSIENT;
};

// Copies the whole database as one snapshot into a new file (mode 0600), through SQLite's backup API; `target` appears
// by rename, complete and synced; refused where another database's log lies beside it. Runs on the connection's thread
// and may take long; writers go on meanwhile.
void backup(Connection& source, const std::filesystem::path& target);

}  // namespace parley::sqlite
