// Client: questions in JSON to an OpenSearch or Elasticsearch cluster, in the part of the REST API that both have
// (Elasticsearch 7 and 8, OpenSearch 1 to 3), over one or several of its nodes. A node that does not answer is passed
// over for a moment; answers that ask for patience (429, 502, 503, 504) are asked for again, a few times, with pauses.
// So every question must be one that may be asked twice.
//
// Made by the wiring, with loops that outlive its use; called on event loops, answers on the loop that asked. fail:
// unavailable (no node answers, or none that takes our credentials; retry_after set), unavailable "overloaded",
// timeout, storage_full, invalid "refused" and too_large for what the cluster does not take. No error and no log line
// has a credential or a document in it.
#pragma once
#include <atomic>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "http/http_upstream.h"
#include "resilience/timer.h"

namespace parley::opensearch {

struct ClientOptions {
  std::vector<http::Url> urls;                       // nodes; at least one
  std::string authorization;                         // the whole field, empty for none: see below
  std::shared_ptr<asio::ssl::context> tls;           // needed when a URL is https
  std::chrono::milliseconds timeout{10'000};         // of one try
  std::chrono::milliseconds connect_timeout{1'000};  //
  std::chrono::milliseconds pause{100};              // before the second try; doubled for each after it
  std::chrono::milliseconds node_rest{1'000};        // how long a node that failed is passed over
  int tries = 4;                                     // of one question
  std::size_t connections_per_loop = 32;             // to each node
  std::size_t answer_bytes = 128 * 1024 * 1024;      // of one answer
};

// "http://a:9200,https://b:9200". invalid_field with the setting's name unless each is a URL without credentials.
Result<std::vector<http::Url>> parse_node_urls(std::string_view text, const std::string& setting);
std::string basic_authorization(std::string_view user, std::string_view password);
std::string api_key_authorization(std::string_view key);

struct Question {
  http::Method method = http::Method::kGet;
  std::string target;
  std::string body;  // JSON, or lines of it; empty: none
};
// 2xx, 404 or 409: what these mean is the asker's to say.
struct Answer {
  int status = 0;
  boost::json::value body;
  bool ok() const { return status < 300; }
};

class Client {
 public:
  // All must outlive this.
  struct Surroundings {
    EventLoops& loops;
    const Clock& clock;
    Timer& timer;
  };
  Client(Surroundings around, ClientOptions options);
  ~Client();

  Task<Result<Answer>> ask(Question question, SteadyTime deadline);

 private:
  struct Node;
  enum class Next { kDone, kOtherNode, kPause };
  // One try. `next` says what to do where there is no answer.
  Task<Result<Answer>> try_once(Node& node, const Question& question, SteadyTime deadline, Next& next);
  // A node that is not resting, in turn; where all are, whichever is next, and `all_rest` is set.
  Node& choose(bool& all_rest);
  Result<Answer> read_answer(int status, std::string_view text, Next& next) const;

  const Surroundings around_;
  const ClientOptions options_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::atomic<std::size_t> turn_{0};
};

// What an error of the cluster is called ("version_conflict_engine_exception"); empty when it has no such name. `error`
// is the member of that name of an answer or of an item of a bulk.
std::string_view error_type(const boost::json::value& answer);
// The disk is so full that the cluster takes no more.
bool says_storage_full(const boost::json::value& answer);

}  // namespace parley::opensearch
