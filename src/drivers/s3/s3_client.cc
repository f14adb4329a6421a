#include "drivers/s3/s3_client.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/check.h"
#include "base/text.h"
#include "drivers/s3/s3_errors.h"
#include "telemetry/log.h"

namespace parley::s3 {

namespace {

constexpr std::size_t kMostAnswerBytes = 16 << 20;  // of what is read whole; a page of a list has about half a megabyte
constexpr std::size_t kMostDeletedAtOnce = 1'000;
constexpr int kSlowFactor = 6;

std::unexpected<Error> unavailable_now() {
  return unavailable("unavailable", "Files cannot be stored or read at the moment.");
}

std::unexpected<Error> no_s3() {
  log_warn("the objects' store answered what is no S3");
  return unavailable_now();
}

// In base64, as Content-MD5 wants it: a checksum that every S3 asks of a deletion of many.
std::string md5_base64(std::string_view bytes) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::array<char, 64> text{};
  const int length =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), digest.data(), static_cast<int>(size));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string range_text(ByteRange range) {
  return "bytes=" + std::to_string(range.first) + "-" + std::to_string(range.end - 1);
}

// A request, and its place among the connections.
struct UnderWay {
  UnderWay(LoopGate::Pass p, const S3Address& address, const S3Call& call, const Credentials& keys, WallTime now)
      : pass(std::move(p)), outgoing(address, call, keys, now) {}
  LoopGate::Pass pass;
  OutgoingRequest outgoing;
};

Result<> nothing(const auto& answer) {
  if (!answer) return std::unexpected(answer.error());
  return {};
}

}  // namespace

struct S3Client::PerLoop {
  explicit PerLoop(const S3ClientOptions& options)
      : calls(std::max<std::size_t>(1, options.connections_per_loop / 4), options.most_waiting),
        streams(std::max<std::size_t>(1, options.connections_per_loop - options.connections_per_loop / 4),
                options.most_waiting) {}
  LoopGate calls;
  LoopGate streams;                       // of bodies, either way
  std::atomic<EventLoop*> loop{nullptr};  // once it was used
};

S3Client::S3Client(std::unique_ptr<http::Upstream> upstream, CredentialsSource& credentials, const Clock& clock,
                   Timer& timer, Random& random, S3ClientOptions options)
    : options_(std::move(options)),
      credentials_(credentials),
      clock_(clock),
      timer_(timer),
      random_(random),
      upstream_(std::move(upstream)),
      budget_({.share = 0.2}, clock) {
  for (std::size_t i = 0; i < options_.loops; ++i) per_loop_.push_back(std::make_unique<PerLoop>(options_));
}

S3Client::~S3Client() = default;

S3Client::PerLoop& S3Client::here() {
  EventLoop& loop = EventLoop::current();
  CHECK(loop.index() < per_loop_.size());
  PerLoop& here = *per_loop_[loop.index()];
  here.loop.store(&loop, std::memory_order_relaxed);
  return here;
}

void S3Client::close(std::function<void()> closed) {
  std::vector<EventLoop*> loops;
  for (const auto& each : per_loop_) {
    if (EventLoop* const loop = each->loop.load()) loops.push_back(loop);
  }
  if (loops.empty()) return closed();
  auto left = std::make_shared<std::atomic<std::size_t>>(loops.size());
  for (EventLoop* const loop : loops) {
    loop->post([this, left, closed] {
      upstream_->close_idle();
      if (--*left == 0) closed();
    });
  }
}

Error S3Client::refused(const S3Call& call, int status, const std::string& body) {
  const std::string code = error_code(body);
  Error error = error_of({status, code});
  error.cause = std::to_string(status) + (code.empty() ? "" : " " + code);
  if (status == 403) {
    error.cause += ": it refuses S3_ACCESS_KEY and S3_SECRET_KEY, or they may not use S3_BUCKET, or our clock is wrong";
  }
  if (is_of_credentials({status, code})) credentials_.were_refused();
  if (error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kNoRoom) {
    counters_.failed.fetch_add(1, std::memory_order_relaxed);
    log_warn("the objects' store refused a call",
             {{"method", http::to_string(call.method)}, {"status", status}, {"code", code}});
  }
  return error;
}

Task<bool> S3Client::wait_to_repeat(unsigned tries, SteadyTime deadline) {
  if (tries >= options_.retry.max_attempts || !budget_.take()) co_return false;
  const SteadyTime at = clock_.steady_now() +
                        std::chrono::duration_cast<SteadyTime::duration>(retry_delay(options_.retry, tries, random_));
  if (at >= deadline) co_return false;
  co_await timer_.wait_until(at);
  counters_.repeated.fetch_add(1, std::memory_order_relaxed);
  co_return true;
}

Task<S3Client::Tried> S3Client::try_once(const S3Call& call, LoopGate& gate, SteadyTime deadline) {
  counters_.requests.fetch_add(1, std::memory_order_relaxed);
  const auto timeout = options_.timeout * (call.is_slow ? kSlowFactor : 1);
  const SteadyTime until = std::min(deadline, clock_.steady_now() + timeout);
  const auto keys = co_await credentials_.current(until);
  if (!keys) {
    log_warn("no keys to the objects' store", {{"why", keys.error().detail}});
    co_return Tried{because(unavailable_now(), keys.error().detail), nullptr, false};
  }
  auto pass = co_await gate.enter(until);
  if (!pass) co_return Tried{std::unexpected(std::move(pass.error())), nullptr, false};
  auto kept = std::make_shared<UnderWay>(std::move(*pass), options_.address, call, **keys, clock_.wall_now());
  auto response = co_await upstream_->call(kept->outgoing.request, until);
  if (response) co_return Tried{std::move(*response), std::move(kept), true};
  const bool is_over = clock_.steady_now() >= deadline;
  Error error = std::move(response.error());
  if (error.kind != ErrorKind::kTimeout) error = because(unavailable_now(), std::move(error.cause)).error();
  co_return Tried{std::unexpected(std::move(error)), nullptr, !is_over};
}

Task<Result<S3Client::Answer>> S3Client::read_answer(http::Response response, SteadyTime deadline) {
  Answer answer{response.status, std::move(response.headers), response.head_length, std::move(response.body)};
  while (response.stream) {
    const auto piece = co_await response.stream->read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) break;
    answer.body.append(*piece);
    if (answer.body.size() > kMostAnswerBytes) co_return no_s3();
    if (clock_.steady_now() >= deadline) {
      co_return fail(ErrorKind::kTimeout, "deadline_exceeded", "The deadline passed before the answer came.");
    }
  }
  co_return answer;
}

Task<Result<S3Client::Answer>> S3Client::ask(S3Call call, SteadyTime deadline) {
  budget_.count_request();
  const bool has_body = call.body && call.body->size() > 64 * 1024;
  LoopGate& gate = has_body || call.is_slow ? here().streams : here().calls;
  for (unsigned tries = 1;; ++tries) {
    Tried tried = co_await try_once(call, gate, deadline);
    Result<Answer> answer = std::unexpected(Error());
    bool may_repeat = tried.may_repeat;
    if (tried.response) {
      answer = co_await read_answer(std::move(*tried.response), deadline);
      tried.kept.reset();
    } else {
      answer = std::unexpected(std::move(tried.response.error()));
    }
    if (answer) {
      // A success may turn out to be none while S3 works on it: then its body is an error.
      const std::string code = answer->status < 300 && !call.is_slow ? "" : error_code(answer->body);
      if (answer->status < 300 && code.empty()) co_return answer;
      const Refusal refusal{answer->status, code};
      may_repeat = is_passing(refusal);
      if (is_of_credentials(refusal) && tries == 1) {
        credentials_.were_refused();
        may_repeat = true;
      }
    }
    if (may_repeat && co_await wait_to_repeat(tries, deadline)) continue;
    if (answer) co_return std::unexpected(refused(call, answer->status, answer->body));
    counters_.failed.fetch_add(1, std::memory_order_relaxed);
    co_return answer;
  }
}

Task<Result<>> S3Client::head_bucket(SteadyTime deadline) {
  auto answer = co_await ask({.method = http::Method::kHead}, deadline);
  // There is no bucket, or the keys are of nobody: nothing that a caller looked for.
  if (!answer && answer.error().kind == ErrorKind::kNotFound) {
    co_return because(unavailable_now(), "404: there is no S3_BUCKET, or nobody has S3_ACCESS_KEY");
  }
  co_return nothing(answer);
}

Task<Result<std::uint64_t>> S3Client::head(std::string key, SteadyTime deadline) {
  const auto answer = co_await ask({.method = http::Method::kHead, .key = std::move(key)}, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  if (!answer->head_length) co_return no_s3();
  co_return *answer->head_length;
}

Task<Result<std::unique_ptr<http::Body>>> S3Client::get(std::string key, ByteRange range, SteadyTime deadline) {
  CHECK(range.first < range.end);
  budget_.count_request();
  S3Call call{.key = std::move(key), .headers = {{"range", range_text(range)}}};
  for (unsigned tries = 1;; ++tries) {
    Tried tried = co_await try_once(call, here().streams, deadline);
    if (tried.response && (tried.response->status == 206 || (tried.response->status == 200 && range.first == 0))) {
      const auto size = tried.response->stream ? tried.response->stream->size() : tried.response->body.size();
      if (size && *size != range.length()) co_return no_s3();
      co_return std::make_unique<ObjectBody>(std::move(*tried.response), range.length(), std::move(tried.kept));
    }
    bool may_repeat = tried.may_repeat;
    Error error;
    if (tried.response) {
      const auto answer = co_await read_answer(std::move(*tried.response), deadline);
      if (answer) {
        may_repeat = is_passing({answer->status, error_code(answer->body)});
        error = may_repeat ? unavailable_now().error() : refused(call, answer->status, answer->body);
        if (answer->status < 300) error = no_s3().error();
      } else {
        error = answer.error();
      }
    } else {
      error = std::move(tried.response.error());
    }
    tried.kept.reset();
    if (may_repeat && co_await wait_to_repeat(tries, deadline)) continue;
    co_return std::unexpected(std::move(error));
  }
}

Task<Result<std::string>> S3Client::get_small(std::string key, std::size_t most_bytes, SteadyTime deadline) {
  auto answer = co_await ask({.key = std::move(key)}, deadline);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (answer->body.size() > most_bytes) co_return no_s3();
  co_return std::move(answer->body);
}

Task<Result<>> S3Client::put(std::string key, Payload payload, Put when, SteadyTime deadline) {
  S3Call call{.method = http::Method::kPut,
              .key = std::move(key),
              .body = std::move(payload.bytes),
              .body_sha256 = std::move(payload.sha256)};
  if (when == Put::kIfAbsent) call.headers.push_back({"if-none-match", "*"});
  co_return nothing(co_await ask(std::move(call), deadline));
}

Task<Result<>> S3Client::copy(std::string from, std::string to, SteadyTime deadline) {
  const auto etag = co_await etag_of({.method = http::Method::kPut,
                                      .key = std::move(to),
                                      .headers = {{"x-amz-copy-source", options_.address.copy_source(from)}},
                                      .is_slow = true},
                                     deadline);
  co_return nothing(etag);
}

// Of a copy, which says it in its body.
Task<Result<std::string>> S3Client::etag_of(S3Call call, SteadyTime deadline) {
  const auto answer = co_await ask(std::move(call), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  auto etag = parse_copied_etag(answer->body);
  if (!etag) co_return no_s3();
  co_return std::move(*etag);
}

Task<Result<>> S3Client::remove(std::vector<std::string> keys, SteadyTime deadline) {
  if (keys.size() == 1) {
    auto answer = co_await ask({.method = http::Method::kDelete, .key = std::move(keys.front())}, deadline);
    if (!answer && answer.error().kind == ErrorKind::kNotFound) co_return Result<>();
    co_return nothing(answer);
  }
  for (std::span<const std::string> left(keys); !left.empty();) {
    const auto now = left.first(std::min(left.size(), kMostDeletedAtOnce));
    left = left.subspan(now.size());
    auto body = std::make_shared<const std::string>(delete_request(now));
    std::vector<NamedValue> headers = {{"content-md5", md5_base64(*body)}, {"content-type", "application/xml"}};
    const auto answer = co_await ask({.method = http::Method::kPost,
                                      .query = {{"delete", ""}},
                                      .headers = std::move(headers),
                                      .body = std::move(body)},
                                     deadline);
    if (!answer) co_return std::unexpected(answer.error());
    const auto failed = first_failed_deletion(answer->body);
    if (!failed) co_return no_s3();
    if (!failed->empty()) {
      log_warn("the objects' store did not delete an object", {{"code", *failed}});
      co_return unavailable_now();
    }
  }
  co_return Result<>();
}

Task<Result<ObjectList>> S3Client::list(ListFrom from, SteadyTime deadline) {
  S3Call call{
      .query = {{"list-type", "2"}, {"max-keys", std::to_string(from.limit)}, {"prefix", std::move(from.prefix)}}};
  if (!from.token.empty()) {
    call.query.push_back({"continuation-token", std::move(from.token)});
  } else if (!from.start_after.empty()) {
    call.query.push_back({"start-after", std::move(from.start_after)});
  }
  const auto answer = co_await ask(std::move(call), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  auto list = parse_object_list(answer->body);
  if (!list) co_return no_s3();
  co_return std::move(*list);
}

Task<Result<std::string>> S3Client::begin_multipart(std::string key, SteadyTime deadline) {
  const auto answer =
      co_await ask({.method = http::Method::kPost, .key = std::move(key), .query = {{"uploads", ""}}}, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  auto id = parse_upload_id(answer->body);
  if (!id) co_return no_s3();
  co_return std::move(*id);
}

Task<Result<std::string>> S3Client::put_part(PartPlace place, Payload payload, SteadyTime deadline) {
  const auto answer =
      co_await ask({.method = http::Method::kPut,
                    .key = std::move(place.key),
                    .query = {{"partNumber", std::to_string(place.number)}, {"uploadId", std::move(place.upload_id)}},
                    .body = std::move(payload.bytes),
                    .body_sha256 = std::move(payload.sha256)},
                   deadline);
  if (!answer) co_return std::unexpected(answer.error());
  const auto etag = answer->headers.find("ETag");
  if (!etag || etag->empty()) co_return no_s3();
  co_return std::string(*etag);
}

Task<Result<std::string>> S3Client::copy_part(PartPlace place, ObjectPart from, SteadyTime deadline) {
  std::vector<NamedValue> headers = {{"x-amz-copy-source", options_.address.copy_source(from.key)}};
  if (from.range) headers.push_back({"x-amz-copy-source-range", range_text(*from.range)});
  return etag_of({.method = http::Method::kPut,
                  .key = std::move(place.key),
                  .query = {{"partNumber", std::to_string(place.number)}, {"uploadId", std::move(place.upload_id)}},
                  .headers = std::move(headers),
                  .is_slow = true},
                 deadline);
}

Task<Result<>> S3Client::complete_multipart(std::string key, std::string upload_id, std::vector<std::string> etags,
                                            SteadyTime deadline) {
  co_return nothing(co_await ask({.method = http::Method::kPost,
                                  .key = std::move(key),
                                  .query = {{"uploadId", std::move(upload_id)}},
                                  .headers = {{"content-type", "application/xml"}},
                                  .body = std::make_shared<const std::string>(complete_request(etags)),
                                  .is_slow = true},
                                 deadline));
}

Task<Result<>> S3Client::abort_multipart(std::string key, std::string upload_id, SteadyTime deadline) {
  auto answer = co_await ask(
      {.method = http::Method::kDelete, .key = std::move(key), .query = {{"uploadId", std::move(upload_id)}}},
      deadline);
  if (!answer && answer.error().kind == ErrorKind::kNotFound) co_return Result<>();
  co_return nothing(answer);
}

Task<Result<MultipartList>> S3Client::list_multipart(std::string prefix, MultipartList after, SteadyTime deadline) {
  S3Call call{.query = {{"uploads", ""}, {"prefix", std::move(prefix)}}};
  if (!after.next_key.empty()) call.query.push_back({"key-marker", std::move(after.next_key)});
  if (!after.next_id.empty()) call.query.push_back({"upload-id-marker", std::move(after.next_id)});
  const auto answer = co_await ask(std::move(call), deadline);
  if (!answer) co_return std::unexpected(answer.error());
  auto list = parse_multipart_list(answer->body);
  if (!list) co_return no_s3();
  co_return std::move(*list);
}

Task<Result<std::string>> S3Client::presigned_get(std::string key, std::vector<NamedValue> parameters,
                                                  std::chrono::seconds life, SteadyTime deadline) {
  const auto keys = co_await credentials_.current(deadline);
  if (!keys) co_return unavailable_now();
  S3Address address = options_.address;
  if (options_.public_endpoint) address.endpoint = *options_.public_endpoint;
  const http::Url url = address.url();
  const std::string path = address.path_of(key);
  co_return (url.tls ? "https://" : "http://") + url.authority() + path + "?" +
      presigned_query(url.authority(), path, std::move(parameters), **keys, {.region = address.region},
                      clock_.wall_now(), life);
}

}  // namespace parley::s3
