#include "drivers/mongo/client_pool.h"

#include <algorithm>
#include <cstdlib>

#include "base/check.h"
#include "telemetry/log.h"

namespace parley::mongo {

namespace {

constexpr std::size_t kMostLostSessions = 1'000;

using UriHandle = std::unique_ptr<mongoc_uri_t, void (*)(mongoc_uri_t*)>;

// libmongoc starts itself in every process that holds it, before main: it makes a file /dev/shm/mongoc-PID for counters
// that nobody reads, and where a killed process has left one under our id it writes a line to stderr that is not of our
// log. This runs before it; a priority below the default of constructors, so that it does.
[[gnu::constructor(101)]] void keep_out_of_shared_memory() {
  setenv("MONGOC_DISABLE_SHM", "1", 1);
}

// Once for the process. What libmongoc would log may quote the URI: every failure reaches us as an error anyway.
void start_library() {
  static const bool started = [] {
    mongoc_log_set_handler(nullptr, nullptr);
    mongoc_init();
    return true;
  }();
  (void)started;
}

std::unexpected<Error> bad_setting(const char* what) {
  return fail(ErrorKind::kInvalid, "mongodb_settings", what);
}

void set_number(mongoc_uri_t* uri, const char* option, std::chrono::milliseconds value) {
  mongoc_uri_set_option_as_int32(uri, option, static_cast<std::int32_t>(value.count()));
}

// What every store relies on; the URI cannot say otherwise.
bool set_rules(mongoc_uri_t* uri, const ConnectionOptions& options) {
  set_number(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, options.find_server_for);
  set_number(uri, MONGOC_URI_CONNECTTIMEOUTMS, options.find_server_for);
  // The server ends a command at its own time limit; this is for one that says nothing any more.
  set_number(uri, MONGOC_URI_SOCKETTIMEOUTMS, options.timeout + std::chrono::seconds(1));
  mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, true);
  mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, true);
  const std::unique_ptr<mongoc_write_concern_t, void (*)(mongoc_write_concern_t*)> majority(
      mongoc_write_concern_new(), mongoc_write_concern_destroy);
  mongoc_write_concern_set_wmajority(majority.get(), static_cast<std::int32_t>(options.timeout.count()));
  mongoc_uri_set_write_concern(uri, majority.get());
  const std::unique_ptr<mongoc_read_concern_t, void (*)(mongoc_read_concern_t*)> held(mongoc_read_concern_new(),
                                                                                      mongoc_read_concern_destroy);
  mongoc_read_concern_set_level(held.get(), MONGOC_READ_CONCERN_LEVEL_MAJORITY);
  mongoc_uri_set_read_concern(uri, held.get());
  const std::unique_ptr<mongoc_read_prefs_t, void (*)(mongoc_read_prefs_t*)> primary(
      mongoc_read_prefs_new(MONGOC_READ_PRIMARY), mongoc_read_prefs_destroy);
  mongoc_uri_set_read_prefs_t(uri, primary.get());
  mongoc_uri_set_appname(uri, "parley");
  if (options.ca_file.empty()) return true;
  return mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, true) &&
         mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, options.ca_file.c_str());
}

}  // namespace

Result<std::unique_ptr<ClientPool>> ClientPool::open(const ConnectionOptions& options, const Clock& clock) {
  start_library();
  bson_error_t error;
  const UriHandle uri(mongoc_uri_new_with_error(options.uri.c_str(), &error), mongoc_uri_destroy);
  if (!uri) return bad_setting("MONGODB_URI is no URI of MongoDB, such as mongodb://host1,host2/?replicaSet=rs0.");
  std::error_code missing;
  if (!options.ca_file.empty() && !std::filesystem::is_regular_file(options.ca_file, missing)) {
    return bad_setting("MONGODB_CA_FILE names no file.");
  }
  if (!set_rules(uri.get(), options)) return bad_setting("MONGODB_URI and MONGODB_CA_FILE contradict each other.");
  mongoc_client_pool_t* pool = mongoc_client_pool_new_with_error(uri.get(), &error);
  if (!pool) return bad_setting("MongoDB cannot be reached by what MONGODB_URI and MONGODB_CA_FILE say.");
  return std::unique_ptr<ClientPool>(new ClientPool(pool, options, clock));
}

ClientPool::ClientPool(mongoc_client_pool_t* pool, const ConnectionOptions& options, const Clock& clock)
    : pool_(pool), database_(options.database), timeout_(options.timeout), clock_(clock), free_(options.size) {
  CHECK(options.size > 0);
  mongoc_client_pool_max_size(pool_, static_cast<std::uint32_t>(options.size));
  mongoc_client_pool_set_error_api(pool_, MONGOC_ERROR_API_VERSION_2);
}

ClientPool::~ClientPool() {
  mongoc_client_pool_destroy(pool_);
}

ClientPool::Lease ClientPool::borrow(SteadyTime deadline) {
  const auto left =
      std::min(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady_now()), timeout_);
  std::unique_lock lock(mutex_);
  if (!freed_.wait_for(lock, left, [this] { return free_ > 0; })) {
    throw Failure(FailureKind::kUnreachable, 0, "no connection became free in time");
  }
  --free_;
  lock.unlock();
  return {*this, mongoc_client_pool_pop(pool_)};
}

void ClientPool::give_back(mongoc_client_t* client) {
  mongoc_client_pool_push(pool_, client);
  {
    const std::lock_guard lock(mutex_);
    ++free_;
  }
  freed_.notify_one();
}

ClientPool::Lease::~Lease() {
  if (pool_) pool_->give_back(client_);
}

Database ClientPool::Lease::database(SteadyTime deadline) const {
  return {client_, pool_->database_, nullptr, pool_->limits(deadline)};
}

void ClientPool::end_later(const mongoc_client_session_t* session) {
  const std::lock_guard lock(mutex_);
  if (lost_sessions_.size() >= kMostLostSessions) return;  // the server ends by itself what it does not hear of
  lost_sessions_.emplace_back(*mongoc_client_session_get_lsid(session));
}

void ClientPool::end_lost_sessions(Database& database) {
  Array sessions;
  {
    const std::lock_guard lock(mutex_);
    if (lost_sessions_.empty() || !ending_sessions_.empty()) return;
    ending_sessions_.swap(lost_sessions_);
    for (const Document& session : ending_sessions_) sessions.add(session);
  }
  bool again = false;
  try {
    database.run_on("admin", make_document("killSessions", sessions));
  } catch (const Failure& failure) {
    log_warn("what broken connections left behind in MongoDB could not be ended",
             {{"sessions", sessions.size()}, {"error", failure.what()}, {"code", failure.code()}});
    again = failure.kind() == FailureKind::kUnreachable;
  }
  {
    const std::lock_guard lock(mutex_);
    if (again) std::ranges::move(ending_sessions_, std::back_inserter(lost_sessions_));
    ending_sessions_.clear();
  }
  ended_.notify_all();
}

void ClientPool::take_back(const mongoc_client_session_t* session, SteadyTime deadline) {
  const bson_t* const id = mongoc_client_session_get_lsid(session);
  const auto is_it = [id](const Document& other) { return bson_equal(id, other.get()); };
  const auto left =
      std::min(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock_.steady_now()), timeout_);
  std::unique_lock lock(mutex_);
  if (!ended_.wait_for(lock, left, [&] { return std::ranges::none_of(ending_sessions_, is_it); })) {
    throw Failure(FailureKind::kUnreachable, 0, "a lost transaction was not ended in time");
  }
  std::erase_if(lost_sessions_, is_it);
}

Result<> ClientPool::check_server() {
  try {
    auto lease = borrow(clock_.steady_now() + timeout_);
    auto database = lease.database(clock_.steady_now() + timeout_);
    const Document hello = database.run_on("admin", make_document("hello", 1));
    const bool sharded = hello.view().text("msg") == "isdbgrid";
    if (!sharded && !hello.view().has("setName")) {
      return fail(ErrorKind::kUnavailable, "not_a_replica_set",
                  "MongoDB is a standalone mongod, which has no transactions: run it as a replica set (one member is "
                  "enough: mongod --replSet, then rs.initiate()).");
    }
    (void)database.find_one("parley_check", make_document("_id", 0));  // what needs a password fails here
    return {};
  } catch (const Failure& failure) {
    return fail(to_operator_error(failure));
  }
}

Result<> with_database(ClientPool& pool, SteadyTime deadline, const std::function<void(Database&)>& act) {
  try {
    auto lease = pool.borrow(deadline);
    auto database = lease.database(deadline);
    act(database);
    return {};
  } catch (const Failure& failure) {
    log_warn("MongoDB did not do what was asked", {{"error", failure.what()}, {"code", failure.code()}});
    return fail(to_error(failure));
  }
}

}  // namespace parley::mongo
