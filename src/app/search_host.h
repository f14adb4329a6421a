// SearchHost: the search role, for the host's own commands: of the server that runs on the data folder, asked over
// HTTP, or, where none does, opened in this process without ports. Either way the same internal routes answer, by a
// token made from INTERNAL_KEY or DATA_DIR/internal.key. Used by one thread, which blocks; not on an event loop.
#pragma once
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/event_loop.h"
#include "config/settings.h"
#include "http/message.h"
#include "http/upstream.h"

namespace parley::app {

class Deployment;

// Below the data folder: where the search role that was started last on it listens; good while its lock is held.
inline constexpr const char* kSearchAddressFile = "search/address";

struct SearchHostOptions {
  std::string url;      // of the search role; empty: whatever is on the data folder
  std::string ca_file;  // for https, instead of the system's
};

class SearchHost {
 public:
  // fail: what opening the folder says, or invalid for a URL that is none.
  static Result<std::unique_ptr<SearchHost>> open(const Settings& settings, const SearchHostOptions& options);
  ~SearchHost();

  struct Answer {
    int status = 0;
    boost::json::object body;
    // What the problem says of itself, for a person.
    std::string detail() const;
    std::string code() const;
  };
  // fail: unavailable, deadline_exceeded; internal when the answer is no JSON object.
  Result<Answer> ask(http::Method method, std::string target, std::string body,
                     std::chrono::milliseconds timeout = std::chrono::seconds(15));
  // For messages to people: "the server at http://127.0.0.1:3006", or "this process".
  const std::string& where() const { return where_; }

 private:
  SearchHost(Secret key, std::string where);
  static Result<std::unique_ptr<SearchHost>> over_http(const Settings& settings, const SearchHostOptions& options);
  static Result<Secret> internal_key(const Settings& settings);

  const SystemClock clock_;
  const Secret key_;
  const std::string where_;
  std::unique_ptr<EventLoops> loops_;       // of the client; null in process
  std::unique_ptr<Deployment> deployment_;  // in process
  std::unique_ptr<http::Upstream> search_;
  EventLoop* loop_ = nullptr;
};

}  // namespace parley::app
