#include "drivers/mongo/session_register.h"

#include <pthread.h>

#include <algorithm>

#include "base/random.h"
#include "telemetry/log.h"

namespace parley::mongo {

namespace {

constexpr const char* kWriters = "writers";
constexpr std::size_t kMostSessions = 1'000;

UuidBytes make_id() {
  SystemClock clock;
  SecureRandom random;
  return make_uuid_v7_bytes(clock.wall_now(), random);
}

UuidBytes uuid_in(View document, std::string_view field) {
  UuidBytes id{};
  const auto bytes = document.bytes(field);
  if (bytes.size() == id.size()) std::ranges::copy(bytes, id.begin());
  return id;
}

Document by_id(const UuidBytes& id) {
  return make_document("_id", Uuid{id});
}

std::map<UuidBytes, std::int64_t> beats_in(Database& database) {
  std::map<UuidBytes, std::int64_t> beats;
  for (const Document& writer : database.find(kWriters, {})) {
    beats.emplace(uuid_in(writer.view(), "_id"), writer.view().integer("beat"));
  }
  return beats;
}

}  // namespace

// One that goes away meanwhile takes its document with it.
bool SessionRegister::sees_a_beat(Database& database) {
  const auto before = beats_in(database);
  std::this_thread::sleep_for(2 * kBeatEvery + kBeatEvery / 2);
  const auto after = beats_in(database);
  return std::ranges::any_of(after, [&before](const auto& writer) {
    const auto at = before.find(writer.first);
    return at == before.end() || at->second != writer.second;
  });
}

SessionRegister::SessionRegister(ClientPool& pool, Options options) : pool_(pool), options_(options), id_(make_id()) {
  if (!options_.is_kept) return;
  thread_ = std::thread([this] { beat_until_closed(); });
  pthread_setname_np(thread_.native_handle(), "mongo-beat");
}

SessionRegister::~SessionRegister() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_all();
  thread_.join();
  try {
    const SteadyTime end = pool_.clock().steady_now() + options_.lapses_after;
    auto lease = pool_.borrow(end);
    auto database = lease.database(end);
    database.delete_one(kWriters, by_id(id_));
  } catch (const Failure&) {
    return;  // another ends sessions that have ended
  }
}

void SessionRegister::remember(Database& database, const mongoc_client_session_t* session) {
  if (!options_.is_kept) return;
  const bson_t* const lsid = mongoc_client_session_get_lsid(session);
  const UuidBytes id = uuid_in(View(*lsid), "id");
  {
    const std::lock_guard lock(mutex_);
    if (sessions_.contains(id)) return;
    // The client drops sessions and says nothing: those in use come back with their next group.
    if (sessions_.size() >= kMostSessions) sessions_.clear();
    sessions_.insert(id);  // before it is written: a beat writes all that is known
  }
  database.update_one(kWriters, by_id(id_),
                      make_document("$addToSet", make_document("sessions", make_document("id", Uuid{id}))), true);
}

Array SessionRegister::known_sessions() {
  const std::lock_guard lock(mutex_);
  Array ids;
  for (const UuidBytes& id : sessions_) ids.add(make_document("id", Uuid{id}));
  return ids;
}

void SessionRegister::beat_until_closed() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, options_.beat_every, [this] { return closing_; })) {
    lock.unlock();
    const auto began = std::chrono::steady_clock::now();
    try {
      const SteadyTime end = pool_.clock().steady_now() + options_.lapses_after;
      auto lease = pool_.borrow(end);
      auto database = lease.database(end);
      beat_and_look(database);
    } catch (const Failure&) {
      others_.clear();  // nobody's beat could be seen, so nobody's was missed; the writes say what is wrong
    }
    if (std::chrono::steady_clock::now() - began > options_.lapses_after / 4) others_.clear();
    lock.lock();
  }
}

void SessionRegister::beat_and_look(Database& database) {
  const auto began = std::chrono::steady_clock::now();
  beat(database);
  // A server that answers slowly keeps the others' beats back as well: none of them was missed.
  if (std::chrono::steady_clock::now() - began > options_.lapses_after / 4) return others_.clear();
  look_at_others(database);
}

// With all that is known, for another may have taken the document away, taking us for dead.
void SessionRegister::beat(Database& database) {
  database.update_one(
      kWriters, by_id(id_),
      make_document("$inc", make_document("beat", 1), "$set", make_document("sessions", known_sessions())), true);
}

void SessionRegister::look_at_others(Database& database) {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::map<UuidBytes, Seen> present;
  for (const Document& document : database.find(kWriters, make_document("_id", make_document("$ne", Uuid{id_})))) {
    const View other = document.view();
    const UuidBytes id = uuid_in(other, "_id");
    const std::int64_t beat = other.integer("beat");
    const auto before = others_.find(id);
    const bool is_same = before != others_.end() && before->second.beat == beat;
    const Seen seen{beat, is_same ? before->second.since : now};
    if (now - seen.since < options_.lapses_after) {
      present.emplace(id, seen);
      continue;
    }
    end_sessions(database, other);
  }
  others_ = std::move(present);
}

// The server takes an id together with the user that asks, so that nobody else's are ended; and no right is needed.
void SessionRegister::end_sessions(Database& database, View other) {
  Array sessions;
  for (const View session : other.documents("sessions")) sessions.add(session);
  if (sessions.size() > 0) database.run_on("admin", make_document("killSessions", sessions));
  database.delete_one(kWriters, by_id(uuid_in(other, "_id")));
  log_warn("a process that wrote to MongoDB is gone: its transactions were ended", {{"sessions", sessions.size()}});
}

}  // namespace parley::mongo
