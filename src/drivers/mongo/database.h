// Database: the commands that stores give, on one connection and maybe within one transaction. Borrowed from a
// ClientPool's lease, for one thread, while the lease lives. What fails throws Failure. Each command ends at the
// deadline, and at the pool's time limit at the latest.
//
// Outside a transaction reads see what a majority of the replica set holds, and writes are acknowledged by one; single
// writes are repeated once by the client when the connection breaks.
#pragma once
#include <mongoc/mongoc.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "drivers/mongo/bson.h"
#include "drivers/mongo/failure.h"

namespace parley::mongo {

struct FindOptions {
  std::optional<Document> sort;
  std::optional<Document> fields;  // a projection
  std::int64_t limit = 0;          // 0: all there are, so only where that is known to be few
};
struct Updated {
  std::int64_t matched = 0;  // upserted ones too
  std::int64_t modified = 0;
};

class Database {
 public:
  struct Limits {
    const Clock* clock;
    SteadyTime deadline;
    std::chrono::milliseconds longest;  // for one command
  };
  Database(mongoc_client_t* client, const std::string& name, mongoc_client_session_t* session, Limits limits)
      : client_(client), name_(&name), session_(session), limits_(limits) {}

  std::optional<Document> find_one(const char* collection, const Document& filter, FindOptions options = {});
  std::vector<Document> find(const char* collection, const Document& filter, const FindOptions& options = {});
  std::vector<Document> aggregate(const char* collection, const Array& stages);
  std::int64_t count(const char* collection, const Document& filter);

  void insert(const char* collection, const Document& document);
  // All of them, or Failure; outside a transaction the first of them may be stored all the same.
  void insert(const char* collection, std::span<const Document> documents);
  Updated update_one(const char* collection, const Document& filter, const Document& update, bool upsert = false);
  Updated update_many(const char* collection, const Document& filter, const Document& update);
  std::int64_t delete_one(const char* collection, const Document& filter);
  std::int64_t delete_many(const char* collection, const Document& filter);
  // The document as it is afterwards; none when there was none to change.
  std::optional<Document> find_and_update(const char* collection, const Document& filter, const Document& update,
                                          bool upsert = false);

  // Adds to a number in the document of that name, which need not be there yet; answers what it is then. One step
  // outside of any transaction, acknowledged by the primary alone: whoever commits afterwards, to a majority, has it
  // behind himself in the same history.
  std::int64_t add_to_counter(const char* collection, std::string_view name, std::string_view field, std::int64_t by);

  // Any other command, acknowledged by a majority where it writes.
  Document run(Document command);
  // For commands of the server as a whole: "admin".
  Document run_on(const char* database, Document command);

  // Commands that may have changed something.
  std::int64_t writes() const { return writes_; }
  std::int64_t commands() const { return commands_; }
  SteadyTime deadline() const { return limits_.deadline; }

 private:
  enum class Mode { kOneWrite, kManyWrites, kCount, kOther };
  std::int64_t time_limit_ms() const;  // Failure (kTimeout) when the deadline has passed
  Document options_for(Mode mode) const;
  Document command(const char* database, Document&& command, Mode mode);
  Document write(Document&& command, Mode mode);
  Updated update(const char* collection, const Document& filter, const Document& update, bool multi, bool upsert);
  std::int64_t erase(const char* collection, const Document& filter, int limit);
  std::vector<Document> drain(mongoc_cursor_t* cursor);

 protected:
  mongoc_client_t* client_;
  const std::string* name_;
  mongoc_client_session_t* session_;  // null: none
  Limits limits_;

 private:
  std::int64_t writes_ = 0;
  std::int64_t commands_ = 0;
};

// One index, made at start when it is not there. A unique one over documents that have the field alone: `only_where`.
struct Index {
  const char* name;
  Document keys;
  bool unique = false;
  std::optional<Document> only_where;
};
// Makes the collection (which a transaction cannot do everywhere) and its indexes.
void prepare_collection(Database& database, const std::string& collection, std::span<const Index> indexes);

}  // namespace parley::mongo
