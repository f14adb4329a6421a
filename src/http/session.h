// Session: one client connection from its first byte to its last: requests one after the other, pipelined or not. Lives
// on its connection's loop, owned by the server's list for that loop.
#pragma once
#include <memory>
#include <string>

#include "http/body_framing.h"
#include "http/connection.h"
#include "http/server.h"

namespace parley::http {

class Session {
 public:
  Session(Server& server, EventLoop& loop, TcpSocket socket, std::string peer);

  // Ends when the connection does. Never throws.
  Task<> run();
  // Close as soon as no request is in flight; answers from now on say `Connection: close`.
  void finish();
  // Close now, whatever is in flight.
  void abort() { connection_.abort(); }

 private:
  enum class Head { kRead, kClosed, kTimedOut, kTooLarge };

  Task<> serve_requests();
  Task<Head> read_head();
  // One request, from its head to the end of its answer. False: the connection is done for.
  Task<bool> serve_one();
  // Writes the head and, unless the content is a stream, what the kernel takes of the rest at once, without a
  // coroutine. Whether all went; nullopt: finish_response() must do the rest. `keep_alive` becomes false where the end
  // of the connection is the end of the answer.
  std::optional<bool> respond_now(Response& response, bool& keep_alive);
  Task<bool> finish_response(Response& response);
  // Both, for answers that are rare.
  Task<bool> respond(Response response, bool keep_alive);
  Task<> refuse(Error error);
  // Reads and drops for a moment, `most` bytes, after an answer that closes, so that the peer can read it before a
  // reset comes.
  Task<> linger(std::uint64_t most);

  // What a request and its answer need; a connection that rests has none of it.
  struct Work {
    Work() { out.reserve(1024); }
    RequestHead head;
    Request request;
    std::string out;  // the head of the answer
    struct {
      std::size_t done = 0;  // bytes of head and body that are written
      bool chunked = false;
    } unsent;  // what respond_now() leaves to finish_response()
  };

  Server& server_;
  const ServerLimits& limits_;
  Connection connection_;
  const std::string peer_;
  std::unique_ptr<Work> work_ = std::make_unique<Work>();
  bool idle_ = true;  // between requests: nothing of the next one has come
  bool finishing_ = false;
};

}  // namespace parley::http
