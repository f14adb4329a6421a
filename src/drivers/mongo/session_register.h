// SessionRegister: which sessions the writers of a process have, as a document {_id, beat, sessions: [{id}]} of the
// collection "writers", so that those of a process that died are ended by another one. A transaction does not end with
// its connection: without this its locks stay until the server's transactionLifetimeLimitSeconds (60 unless set), and
// whatever it had written can be written by nobody. A thread moves the beat; whoever sees the same beat of another for
// longer than lapses_after, by its own steady clock and with a server that answers quickly, ends that one's sessions.
// Should it live after all, its transactions fail as they do when another was first, and are begun anew.
//
// Made and owned by a GroupWriter. remember() is called by its threads; it throws Failure.
#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/ids.h"
#include "drivers/mongo/client_pool.h"

namespace parley::mongo {

class SessionRegister {
 public:
  static constexpr std::chrono::milliseconds kBeatEvery{1'000};
  struct Options {
    std::chrono::milliseconds beat_every = kBeatEvery;
    std::chrono::milliseconds lapses_after{5'000};
    bool is_kept = true;  // else it does nothing: where nothing is written
  };
  // The pool must outlive it, and have a connection to spare.
  SessionRegister(ClientPool& pool, Options options);
  // Takes the document away.
  ~SessionRegister();

  // Whether a process writes to this database: whether a beat moves within two of them, which is what it takes. Blocks.
  static bool sees_a_beat(Database& database);

  // Before the session begins a transaction that writes. Asks the server only for one that is new here.
  void remember(Database& database, const mongoc_client_session_t* session);

 private:
  struct Seen {
    std::int64_t beat = 0;
    SteadyTime since{};
  };
  void beat_until_closed();
  void beat_and_look(Database& database);
  void beat(Database& database);
  void look_at_others(Database& database);
  void end_sessions(Database& database, View other);
  Array known_sessions();

  ClientPool& pool_;
  const Options options_;
  const UuidBytes id_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::set<UuidBytes> sessions_;
  bool closing_ = false;
  std::map<UuidBytes, Seen> others_;  // on the thread alone
  std::thread thread_;
};

}  // namespace parley::mongo
