// S3Client: one bucket of S3, or of what speaks like it, over HTTP. Every request is signed, with the hash of its body;
// what fails in passing is tried again, with growing random waits and a budget, since every call may be made twice.
// Made and owned by app/; called on any of the loops it was made for, and destroyed once none of them calls any more.
//
// Failures: those of s3_errors.h; unavailable also when S3 cannot be reached or answers what is no S3, overloaded
// when more is asked than it has connections for, deadline_exceeded when it does not answer in time.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_range.h"
#include "base/random.h"
#include "drivers/s3/credentials.h"
#include "drivers/s3/loop_gate.h"
#include "drivers/s3/s3_answers.h"
#include "drivers/s3/s3_requests.h"
#include "http/upstream.h"
#include "resilience/retry.h"
#include "resilience/timer.h"

namespace parley::s3 {

struct S3ClientOptions {
  S3Address address;
  std::optional<http::Url> public_endpoint;  // where clients reach it, for presigned addresses, if elsewhere
  std::size_t loops = 1;
  // Of each loop, a quarter is for short calls alone, so that long downloads do not take them all.
  std::size_t connections_per_loop = 32;
  std::size_t most_waiting = 1'000;           // of each loop, for a connection
  std::chrono::milliseconds timeout{10'000};  // of one try, until it is answered
  RetryPolicy retry{
      .max_attempts = 4, .base_delay = std::chrono::milliseconds(50), .max_delay = std::chrono::milliseconds(2'000)};
};

struct S3Counters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> repeated{0};  // of them, tries after the first
  std::atomic<std::uint64_t> failed{0};    // calls that failed after all their tries; not_found is no failure
};

// Bytes to send, with their SHA-256 in hex where it is known already.
struct Payload {
  Bytes bytes;
  std::string sha256;
};

// A run of an object, or all of it.
struct ObjectPart {
  std::string key;
  std::optional<ByteRange> range;
};

// One part of a multipart upload.
struct PartPlace {
  std::string key;
  std::string upload_id;
  std::size_t number = 1;  // from 1 on
};

struct ListFrom {
  std::string prefix;
  std::string start_after;
  std::string token;  // ObjectList::next of the page before
  std::size_t limit = 1'000;
};

class S3Client {
 public:
  // All must outlive the client but the upstream, which it owns.
  S3Client(std::unique_ptr<http::Upstream> upstream, CredentialsSource& credentials, const Clock& clock, Timer& timer,
           Random& random, S3ClientOptions options);
  ~S3Client();

  Task<Result<>> head_bucket(SteadyTime deadline);
  // The size of an object.
  Task<Result<std::uint64_t>> head(std::string key, SteadyTime deadline);
  // That run of an object, which must not be empty, as it comes. Not tried again once it comes.
  Task<Result<std::unique_ptr<http::Body>>> get(std::string key, ByteRange range, SteadyTime deadline);
  // A small object, whole; unavailable when it has more bytes.
  Task<Result<std::string>> get_small(std::string key, std::size_t most_bytes, SteadyTime deadline);
  // kAlways replaces what is there; with kIfAbsent that is precondition_failed object_exists.
  enum class Put : std::uint8_t { kAlways, kIfAbsent };
  Task<Result<>> put(std::string key, Payload payload, Put when, SteadyTime deadline);
  // Within S3, at most 5 GiB.
  Task<Result<>> copy(std::string from, std::string to, SteadyTime deadline);
  // What is not there is fine.
  Task<Result<>> remove(std::vector<std::string> keys, SteadyTime deadline);
  Task<Result<ObjectList>> list(ListFrom from, SteadyTime deadline);

  // The id of a new multipart upload. Parts answer their ETags.
  Task<Result<std::string>> begin_multipart(std::string key, SteadyTime deadline);
  Task<Result<std::string>> put_part(PartPlace place, Payload payload, SteadyTime deadline);
  Task<Result<std::string>> copy_part(PartPlace place, ObjectPart from, SteadyTime deadline);
  // Of all parts, in order. not_found when it was completed or given up already.
  Task<Result<>> complete_multipart(std::string key, std::string upload_id, std::vector<std::string> etags,
                                    SteadyTime deadline);
  Task<Result<>> abort_multipart(std::string key, std::string upload_id, SteadyTime deadline);
  Task<Result<MultipartList>> list_multipart(std::string prefix, MultipartList after, SteadyTime deadline);

  // An address under which anybody may read the object for a while; `parameters` may set fields of the answer
  // (response-content-disposition, …).
  Task<Result<std::string>> presigned_get(std::string key, std::vector<NamedValue> parameters,
                                          std::chrono::seconds life, SteadyTime deadline);

  // Any thread, once nobody calls any more: closes the connections, each on its loop, and calls `closed` on one of them
  // (or at once, here, if there was never any).
  void close(std::function<void()> closed);
  const S3Counters& counters() const { return counters_; }

 private:
  struct PerLoop;
  struct Answer {
    int status = 0;
    http::HeaderText headers;
    std::optional<std::uint64_t> head_length;
    std::string body;
  };
  // What became of one try.
  struct Tried {
    Result<http::Response> response;
    std::shared_ptr<void> kept;  // as long as the response
    bool may_repeat = false;     // of a failure
  };
  Task<Result<Answer>> ask(S3Call call, SteadyTime deadline);
  Task<Tried> try_once(const S3Call& call, LoopGate& gate, SteadyTime deadline);
  // Reads the rest of an answer that is short.
  Task<Result<Answer>> read_answer(http::Response response, SteadyTime deadline);
  // False: not again.
  Task<bool> wait_to_repeat(unsigned tries, SteadyTime deadline);
  // An error, told of, for an answer that is none of success.
  Error refused(const S3Call& call, int status, const std::string& body);
  PerLoop& here();
  Task<Result<std::string>> etag_of(S3Call call, SteadyTime deadline);

  const S3ClientOptions options_;
  CredentialsSource& credentials_;
  const Clock& clock_;
  Timer& timer_;
  Random& random_;
  const std::unique_ptr<http::Upstream> upstream_;
  RetryBudget budget_;
  S3Counters counters_;
  std::vector<std::unique_ptr<PerLoop>> per_loop_;
};

}  // namespace parley::s3
