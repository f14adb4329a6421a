// Requests and responses as every layer sees them, whether they came from a socket or from a role in the same process.
// A Request is views into memory that its maker keeps until the Response has been made; a Response owns what it holds.
#pragma once
#include <boost/beast/http/field.hpp>
#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"

namespace parley::http {

using FieldId = boost::beast::http::field;

enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };

std::string_view to_string(Method method);  // "GET"; "-" for kOther
Method parse_method(std::string_view text);
// RFC 9110 section 9.2.1 and 9.2.2.
bool is_safe(Method method);
bool is_idempotent(Method method);

struct Field {
  FieldId id = FieldId::unknown;
  std::string_view name;
  std::string_view value;
};

// Header fields of a request, in order. At most kMaxFields; the parser answers 431 beyond.
class Fields {
 public:
  static constexpr std::size_t kMaxFields = 64;

  // False when full.
  bool add(FieldId id, std::string_view name, std::string_view value);
  bool add(std::string_view name, std::string_view value);  // id looked up by name
  // The first field of that id or name, else empty optional.
  std::optional<std::string_view> find(FieldId id) const;
  std::optional<std::string_view> find(std::string_view name) const;
  std::size_t count(FieldId id) const;
  void clear() { fields_.clear(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  boost::container::static_vector<Field, kMaxFields> fields_;
};

// A run of an open file, for whoever can have the kernel send it (sendfile(2)) instead of reading it. Good as long as
// the body that gave it.
struct FileRun {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  // Waits, elsewhere than on the loop, until that part of the file (from, length) is in memory; null: nobody can.
  std::function<Task<Result<>>(std::uint64_t, std::uint64_t)> fetch;
};

// A body, read in pieces: the reader sets the pace, so backpressure needs nothing more.
class Body {
 public:
  virtual ~Body() = default;
  // The next piece, valid until the next call; empty at the end. An error ends the body.
  virtual Task<Result<std::string_view>> read() = 0;
  // The whole length in bytes, if known beforehand.
  virtual std::optional<std::uint64_t> size() const = 0;
  // What is still unread, where all of that is a run of a file. Whoever takes it reads nothing more. Asked before the
  // first read(); a body that wraps another passes its answer on, or changes nothing by being passed by.
  virtual std::optional<FileRun> as_file() { return std::nullopt; }
  // Whoever sends the body waits to be asked for it (`Expect: 100-continue`): the first read() asks.
  virtual bool awaits_continue() const { return false; }
  // How long reading has waited so far for whoever sends the body.
  virtual SteadyTime::duration waited() const { return {}; }
  // Another task of the same loop wants its reader to stop: a read under way fails soon, and every later one. Bodies
  // that wait for nobody need not heed it.
  virtual void interrupt() {}
};

// A body already in memory. Does not own it.
class TextBody final : public Body {
 public:
  explicit TextBody(std::string_view text) : text_(text), size_(text.size()) {}
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::string_view text_;
  std::uint64_t size_;
};

// Reads the rest of `body`; 413 (code payload_too_large) as soon as more than `limit` bytes are known to come.
Task<Result<std::string>> read_all(Body& body, std::size_t limit);

struct Request {
  Method method = Method::kGet;
  std::string_view method_text;  // as sent
  std::string_view target;       // origin form, as sent: path and query
  std::string_view path;         // target up to `?`, still percent-encoded
  std::string_view query;        // after `?`, without it
  Fields fields;
  Body* body = nullptr;      // never null once a handler sees it; empty for most GETs
  std::string_view peer;     // address of the client, without port; empty when a role of this process asks
  SteadyTime received_at{};  // when its head was complete
  SteadyTime deadline = SteadyTime::max();  // when the asking role wants an answer; max: it does not say

  // Sets target, path and query.
  void set_target(std::string_view text);
  // The raw value of a query parameter, still encoded.
  std::optional<std::string_view> query_parameter(std::string_view name) const;
};

// Header fields of a response or outgoing request as the very text that goes on the wire ("Name: value\r\n"…), so that
// a head is written without another copy. Values must be free of CR, LF and NUL: add() drops such a field (CHECK in
// debug).
class HeaderText {
 public:
  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  std::optional<std::string_view> find(std::string_view name) const;
  const std::string& text() const { return text_; }
  void reserve(std::size_t bytes) { text_.reserve(bytes); }

 private:
  std::string text_;
};

// What a handler answers. Content-Length, Transfer-Encoding, Connection and Date are the server's to write: a handler
// never sets them. Exactly one of `body` and `stream` carries content.
struct Response {
  int status = 200;
  HeaderText headers;
  std::string body;
  std::unique_ptr<Body> stream;
  std::optional<std::uint64_t> head_length;  // answer to HEAD: the Content-Length that GET would carry
  // Called once when the server has written the answer or given up: content bytes sent, and whether all of it went.
  std::move_only_function<void(std::uint64_t sent, bool complete)> on_sent;
};

Response text_response(int status, std::string_view content_type, std::string body);
Response json_response(int status, std::string body);
// The reason phrase of RFC 9110 (and "Checksum Mismatch" for 460).
std::string_view reason_phrase(int status);

}  // namespace parley::http
