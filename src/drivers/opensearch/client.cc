#include "drivers/opensearch/client.h"

#include <openssl/evp.h>

#include <boost/json/parse.hpp>

#include "base/check.h"
#include "http/upstream_question.h"
#include "resilience/deadline.h"
#include "telemetry/log.h"

namespace parley::opensearch {

namespace json = boost::json;

namespace {

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::unexpected<Error> unreachable() {
  return unavailable("unavailable", "The search index cannot be reached at the moment; try again shortly.");
}
std::unexpected<Error> overloaded() {
  return unavailable("overloaded", "The search index has more work than it can take; try again shortly.");
}
std::unexpected<Error> timed_out() {
  return fail(ErrorKind::kTimeout, "deadline_exceeded", "The search index did not answer in time.");
}
std::unexpected<Error> full() {
  return fail(ErrorKind::kNoRoom, "storage_full", "The search index has no room left.");
}

// A document may nest as deep as ours do, and stands within an answer.
json::parse_options parse_options() {
  json::parse_options options;
  options.max_depth = 64;
  return options;
}

const json::object* error_of(const json::value& answer) {
  const json::object* const object = answer.if_object();
  const json::value* const error = object ? object->if_contains("error") : nullptr;
  return error ? error->if_object() : nullptr;
}
std::string_view text_of(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

}  // namespace

std::string_view error_type(const json::value& answer) {
  const json::object* const error = error_of(answer);
  return error ? text_of(*error, "type") : std::string_view();
}

bool says_storage_full(const json::value& answer) {
  const json::object* const error = error_of(answer);
  return error && text_of(*error, "type") == "cluster_block_exception" &&
         text_of(*error, "reason").contains("read-only / allow delete");
}

Result<std::vector<http::Url>> parse_node_urls(std::string_view text, const std::string& setting) {
  std::vector<http::Url> urls;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view part = text.substr(0, end);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    auto url = http::parse_url(part);
    // Not its text: it may hold a password.
    if (!url) return invalid_field(setting, "must be http or https URLs without user, query and fragment");
    urls.push_back(std::move(*url));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (urls.empty()) return invalid_field(setting, "names no node");
  return urls;
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  return "Basic " + base64(std::string(user) + ':' + std::string(password));
}
std::string api_key_authorization(std::string_view key) {
  return "ApiKey " + std::string(key);
}

struct Client::Node {
  Node(EventLoops& loops, http::HttpUpstreamOptions options)
      : name(options.url.authority()), upstream(loops, std::move(options)) {}
  const std::string name;  // for the log
  http::HttpUpstream upstream;
  std::atomic<SteadyTime::rep> rests_until{SteadyTime::min().time_since_epoch().count()};
};

Client::Client(Surroundings around, ClientOptions options) : around_(around), options_(std::move(options)) {
  CHECK(!options_.urls.empty());
  for (const http::Url& url : options_.urls) {
    nodes_.push_back(std::make_unique<Node>(
        around_.loops, http::HttpUpstreamOptions{.name = "the search index",
                                                 .url = url,
                                                 .connect_timeout = options_.connect_timeout,
                                                 .body_idle_timeout = options_.timeout,
                                                 .connections_per_loop = options_.connections_per_loop,
                                                 .tls = url.tls ? options_.tls : nullptr}));
  }
}
Client::~Client() = default;

Client::Node& Client::choose(bool& all_rest) {
  const std::size_t first = turn_.fetch_add(1, std::memory_order_relaxed);
  const SteadyTime::rep now = around_.clock.steady_now().time_since_epoch().count();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = *nodes_[(first + i) % nodes_.size()];
    if (node.rests_until.load(std::memory_order_relaxed) <= now) return node;
  }
  all_rest = true;
  return *nodes_[first % nodes_.size()];
}

Task<Result<Answer>> Client::ask(Question question, SteadyTime deadline) {
  std::chrono::milliseconds pause = options_.pause;
  for (int tried = 1;; ++tried) {
    // Where no node was well a moment ago one try will tell, and nobody waits for more.
    bool last = tried >= options_.tries;
    Node& node = choose(last);
    Next next = Next::kDone;
    auto answer = co_await try_once(node, question, deadline, next);
    if (next == Next::kDone || last) co_return answer;
    if (next == Next::kOtherNode && nodes_.size() > 1) continue;
    const SteadyTime now = around_.clock.steady_now();
    if (remaining(now, deadline) <= pause) co_return answer;
    co_await around_.timer.wait_until(now + pause);
    pause *= 2;
  }
}

Task<Result<Answer>> Client::try_once(Node& node, const Question& question, SteadyTime deadline, Next& next) {
  const SteadyTime now = around_.clock.steady_now();
  if (now >= deadline) co_return timed_out();
  http::Question asked{question.method, question.target, {}, question.body};
  if (!options_.authorization.empty()) asked.fields.emplace_back("Authorization", options_.authorization);
  auto answer = co_await http::ask(node.upstream, std::move(asked), attempt_deadline(now, deadline, options_.timeout),
                                   options_.answer_bytes);
  if (answer) co_return read_answer(answer->status, answer->body, next);
  const bool busy = answer.error().code == "upstream_busy";
  if (!busy) {
    node.rests_until.store((now + options_.node_rest).time_since_epoch().count(), std::memory_order_relaxed);
    log_warn("a node of the search index does not answer",
             {{"node", node.name}, {"code", answer.error().code}, {"cause", answer.error().cause}});
  }
  // Another try would be given no more time than this one had.
  if (answer.error().kind == ErrorKind::kTimeout) co_return timed_out();
  next = busy ? Next::kPause : Next::kOtherNode;
  if (busy) co_return overloaded();
  co_return because(unreachable(), std::move(answer.error().cause));
}

Result<Answer> Client::read_answer(int status, std::string_view text, Next& next) const {
  boost::system::error_code error;
  Answer answer{status, text.empty() ? json::value() : json::parse(text, error, {}, parse_options())};
  if (answer.ok() || status == 404 || status == 409) {
    if (!error) return answer;
    log_warn("the search index answered no JSON", {{"status", status}});
    next = Next::kOtherNode;
    return unreachable();
  }
  if (says_storage_full(answer.body)) return full();
  if (status == 429 || status == 502 || status == 503 || status == 504) {
    next = Next::kPause;
    if (status == 429) return overloaded();
    return unreachable();
  }
  const std::string type(error ? std::string_view() : error_type(answer.body));
  log_warn("the search index refuses a question", {{"status", status}, {"type", type}});
  if (status == 413) return fail(ErrorKind::kTooLarge, "too_large", "The search index takes nothing so large.");
  if (status == 401 || status == 403) {
    return because(unreachable(), std::to_string(status) +
                                      ": it refuses ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD, or "
                                      "ELASTICSEARCH_API_KEY, or they may not do this");
  }
  if (status >= 500) return because(unreachable(), std::to_string(status) + " " + type);
  return fail(ErrorKind::kInvalid, "refused", "The search index does not take it: " + type);
}

}  // namespace parley::opensearch
