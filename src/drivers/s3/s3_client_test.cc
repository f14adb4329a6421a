// The client against an S3 in memory, and against what S3 says on bad days.
#include "drivers/s3/s3_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/run_on_loop.h"
#include "drivers/s3/testing/fake_s3.h"
#include "http/http_upstream.h"

namespace parley::s3 {
namespace {

using ::testing::ElementsAre;
using testing::FakeS3;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::s3_error;

constexpr SteadyTime kNoHurry = SteadyTime::max();

Bytes bytes_of(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

class S3ClientTest : public ::testing::Test {
 protected:
  S3ClientTest() { connect(fake_.endpoint()); }
  ~S3ClientTest() override {
    loops_->stop();
    client_.reset();
  }
  void connect(const std::string& endpoint, std::chrono::milliseconds timeout = std::chrono::seconds(5),
               std::optional<http::Url> public_endpoint = {}) {
    if (loops_) loops_->stop();
    client_.reset();
    loops_.emplace(1);
    loops_->start();
    S3ClientOptions options{.address = {.endpoint = *http::parse_url(endpoint),
                                        .region = "us-east-1",
                                        .bucket = std::string(FakeS3::kBucket)},
                            .public_endpoint = std::move(public_endpoint),
                            .timeout = timeout,
                            .retry = {.max_attempts = 3, .base_delay = std::chrono::milliseconds(1)}};
    auto upstream = std::make_unique<http::HttpUpstream>(
        *loops_, http::HttpUpstreamOptions{.name = "s3", .url = options.address.url(), .body_idle_timeout = timeout});
    client_ = std::make_unique<S3Client>(std::move(upstream), keys_, clock_, timer_, random_, options);
  }
  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_->at(0), std::move(task));
  }
  Result<> put(std::string key, std::string text) {
    return wait(client_->put(std::move(key), {bytes_of(std::move(text)), ""}, S3Client::Put::kAlways, kNoHurry));
  }
  Result<std::string> get(std::string key, ByteRange range) { return wait(read(*client_, std::move(key), range)); }
  static Task<Result<std::string>> read(S3Client& client, std::string key, ByteRange range) {
    auto body = co_await client.get(std::move(key), range, kNoHurry);
    if (!body) co_return std::unexpected(body.error());
    co_return co_await http::read_all(**body, 1 << 24);
  }

  FakeS3 fake_;
  FixedCredentials keys_{{.access_key = "key", .secret_key = "secret"}};
  SystemClock clock_;
  LoopTimer timer_;
  SeededRandom random_{1};
  std::optional<EventLoops> loops_;
  std::unique_ptr<S3Client> client_;
};

TEST_F(S3ClientTest, ObjectsArePutReadInRangesAskedForAndRemoved) {
  ASSERT_TRUE(put("a key/with &?# signs", "0123456789"));
  EXPECT_EQ(wait(client_->head("a key/with &?# signs", kNoHurry)), 10u);
  EXPECT_EQ(get("a key/with &?# signs", {3, 7}), "3456");
  EXPECT_EQ(get("a key/with &?# signs", {0, 10}), "0123456789");
  EXPECT_EQ(wait(client_->get_small("a key/with &?# signs", 100, kNoHurry)), "0123456789");
  EXPECT_EQ(wait(client_->get_small("a key/with &?# signs", 9, kNoHurry)).error().kind, ErrorKind::kUnavailable);
  ASSERT_TRUE(wait(client_->remove({"a key/with &?# signs"}, kNoHurry)));
  EXPECT_EQ(wait(client_->head("a key/with &?# signs", kNoHurry)).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(get("a key/with &?# signs", {0, 1}).error().kind, ErrorKind::kNotFound);
}

TEST_F(S3ClientTest, WhatMustNotBeThereYetIsRefusedWhenItIs) {
  ASSERT_TRUE(wait(client_->put("k", {}, S3Client::Put::kIfAbsent, kNoHurry)));
  EXPECT_EQ(wait(client_->put("k", {}, S3Client::Put::kIfAbsent, kNoHurry)).error().code, "object_exists");
}

TEST_F(S3ClientTest, ListsComeInPages) {
  for (const char* key : {"p/a", "p/b", "p/c", "q/d"}) ASSERT_TRUE(put(key, key));
  auto page = wait(client_->list({.prefix = "p/", .limit = 2}, kNoHurry));
  ASSERT_TRUE(page && page->next);
  EXPECT_EQ(page->objects.size(), 2u);
  page = wait(client_->list({.prefix = "p/", .token = *page->next, .limit = 2}, kNoHurry));
  ASSERT_TRUE(page && !page->next);
  EXPECT_EQ(page->objects.at(0).key, "p/c");
  page = wait(client_->list({.prefix = "p/", .start_after = "p/a"}, kNoHurry));
  EXPECT_EQ(page->objects.size(), 2u);
}

TEST_F(S3ClientTest, AMultipartUploadBecomesOneObject) {
  const std::string large(5 << 20, 'x');
  ASSERT_TRUE(put("source", large + "tail"));
  const auto id = wait(client_->begin_multipart("whole", kNoHurry));
  ASSERT_TRUE(id);
  const auto first = wait(client_->put_part({"whole", *id, 1}, {bytes_of(large), ""}, kNoHurry));
  const auto second =
      wait(client_->copy_part({"whole", *id, 2}, {"source", ByteRange{5 << 20, (5 << 20) + 4}}, kNoHurry));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(wait(client_->list_multipart("", {}, kNoHurry))->uploads.size(), 1u);
  ASSERT_TRUE(wait(client_->complete_multipart("whole", *id, {*first, *second}, kNoHurry)));
  EXPECT_EQ(fake_.objects().at("whole"), large + "tail");
  EXPECT_EQ(wait(client_->complete_multipart("whole", *id, {*first}, kNoHurry)).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(wait(client_->abort_multipart("whole", *id, kNoHurry)));
}

TEST_F(S3ClientTest, AWrongETagIsNoSuccess) {
  const auto id = wait(client_->begin_multipart("whole", kNoHurry));
  ASSERT_TRUE(wait(client_->put_part({"whole", *id, 1}, {bytes_of("x"), ""}, kNoHurry)));
  EXPECT_EQ(wait(client_->complete_multipart("whole", *id, {"\"other\""}, kNoHurry)).error().kind,
            ErrorKind::kUnavailable);
  EXPECT_FALSE(fake_.objects().contains("whole"));
}

TEST_F(S3ClientTest, ABodyThatIsNotThatOfItsHashIsRefused) {
  EXPECT_EQ(
      wait(client_->put("k", {bytes_of("x"), std::string(64, '0')}, S3Client::Put::kAlways, kNoHurry)).error().kind,
      ErrorKind::kUnavailable);
}

TEST_F(S3ClientTest, WhatPassesIsTriedAgain) {
  fake_.fail_first(2, "PUT", 503, "SlowDown");
  EXPECT_TRUE(put("k", "v"));
  EXPECT_EQ(client_->counters().repeated, 2u);
  fake_.fail_first(2, "GET", 500, "InternalError");
  EXPECT_EQ(get("k", {0, 1}), "v");
}

TEST_F(S3ClientTest, WhatDoesNotPassIsUnavailableAfterItsTries) {
  fake_.fail_first(100, "PUT", 503, "SlowDown");
  const auto refused = put("k", "v");
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(refused.error().retry_after.has_value());
  EXPECT_EQ(fake_.count("PUT"), 3u);
}

TEST_F(S3ClientTest, WhatWillNotGetBetterIsAskedOnce) {
  fake_.fail_first(100, "PUT", 403, "SignatureDoesNotMatch");
  EXPECT_EQ(put("k", "v").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(fake_.count("PUT"), 1u);
}

TEST_F(S3ClientTest, ACopyThatFailsInItsAnswerIsTriedAgain) {
  ASSERT_TRUE(put("from", "v"));
  int left = 1;
  fake_.set_fault([left](const http::Request& request) mutable -> std::optional<http::Response> {
    if (!request.fields.find("x-amz-copy-source") || left-- == 0) return std::nullopt;
    return s3_error(200, "InternalError");
  });
  EXPECT_TRUE(wait(client_->copy("from", "to", kNoHurry)));
  EXPECT_EQ(fake_.objects().at("to"), "v");
}

TEST_F(S3ClientTest, AnswersThatAreNoS3AreUnavailable) {
  for (const char* body : {"", "<html>nginx</html>", "<ListBucketResult><Contents/></ListBucketResult>", "\0\xff"}) {
    fake_.set_fault([body](const http::Request&) { return http::text_response(200, "text/html", body); });
    EXPECT_EQ(wait(client_->list({}, kNoHurry)).error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(wait(client_->begin_multipart("k", kNoHurry)).error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(wait(client_->copy("a", "b", kNoHurry)).error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(wait(client_->remove({"a", "b"}, kNoHurry)).error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(wait(client_->put_part({"k", "1", 1}, {}, kNoHurry)).error().kind, ErrorKind::kUnavailable);
  }
}

class Cut final : public http::Body {
 public:
  Task<Result<std::string_view>> read() override {
    if (!std::exchange(sent_, true)) co_return std::string_view("half");
    co_return fail(ErrorKind::kInternal, "cut", "cut");
  }
  std::optional<std::uint64_t> size() const override { return 8; }

 private:
  bool sent_ = false;
};

TEST_F(S3ClientTest, ABodyThatIsCutIsAnErrorNotAnEnd) {
  fake_.set_fault([](const http::Request&) {
    http::Response response = http::text_response(206, "text/plain", "");
    response.stream = std::make_unique<Cut>();
    return response;
  });
  EXPECT_EQ(get("k", {0, 8}).error().kind, ErrorKind::kUnavailable);
}

TEST_F(S3ClientTest, ABodyOfAnotherLengthIsAnError) {
  fake_.set_fault([](const http::Request&) { return http::text_response(206, "text/plain", "1234567"); });
  EXPECT_EQ(get("k", {0, 8}).error().kind, ErrorKind::kUnavailable);
}

Task<Result<std::uint64_t>> head_soon(S3Client& client) {
  co_return co_await client.head("k", std::chrono::steady_clock::now() + std::chrono::milliseconds(100));
}

TEST_F(S3ClientTest, WhoDoesNotAnswerIsNotWaitedForPastTheDeadline) {
  // A listener that nobody accepts from.
  asio::io_context io;
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  connect("http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()));
  EXPECT_EQ(wait(head_soon(*client_)).error().kind, ErrorKind::kTimeout);
}

TEST_F(S3ClientTest, WhereNobodyListensIsUnavailable) {
  std::uint16_t port = 0;
  {
    asio::io_context io;
    asio::ip::tcp::acceptor gone(io, {asio::ip::address_v4::loopback(), 0});
    port = gone.local_endpoint().port();
  }
  connect("http://127.0.0.1:" + std::to_string(port));
  const auto failed = wait(client_->head("k", kNoHurry));
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(failed.error().retry_after.has_value());
  EXPECT_EQ(wait(client_->head_bucket(kNoHurry)).error().kind, ErrorKind::kUnavailable);
}

TEST_F(S3ClientTest, AMissingBucketIsNotAMissingObject) {
  fake_.set_fault([](const http::Request&) { return s3_error(404, "NoSuchBucket"); });
  EXPECT_EQ(wait(client_->head_bucket(kNoHurry)).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(wait(client_->get_small("k", 1, kNoHurry)).error().kind, ErrorKind::kUnavailable);
}

TEST_F(S3ClientTest, PresignedAddressesAreOfWhereClientsReachIt) {
  const auto address = [this] { return wait(client_->presigned_get("a/b c", {}, std::chrono::seconds(9), kNoHurry)); };
  EXPECT_THAT(address().value(),
              ::testing::StartsWith(fake_.endpoint() + "/" + std::string(FakeS3::kBucket) + "/a/b%20c?"));
  connect(fake_.endpoint(), std::chrono::seconds(5), http::parse_url("https://files.example.com").value());
  EXPECT_THAT(address().value(),
              ::testing::StartsWith("https://files.example.com/" + std::string(FakeS3::kBucket) + "/a/b%20c?"));
  ASSERT_TRUE(put("a/b c", "x")) << "which is not where it is written";
}

TEST(S3Address, HostAndPathAreOfTheStyleThatIsAskedFor) {
  S3Address address{.endpoint = *http::parse_url("https://s3.example.com/base"), .region = "eu", .bucket = "b"};
  EXPECT_EQ(address.url().authority(), "s3.example.com");
  EXPECT_EQ(address.path_of("a/b c"), "/base/b/a/b%20c");
  EXPECT_EQ(address.path_of(""), "/base/b");
  EXPECT_EQ(address.copy_source("a b"), "/b/a%20b");
  address.path_style = false;
  EXPECT_EQ(address.url().authority(), "b.s3.example.com");
  EXPECT_EQ(address.path_of("k"), "/base/k");
  const S3Call call{.method = http::Method::kPut, .key = "k", .query = {{"partNumber", "1"}}};
  const OutgoingRequest out(address, call, {.access_key = "A", .secret_key = "very secret", .session_token = "T"}, {});
  EXPECT_EQ(out.target, "/k?partNumber=1");
  EXPECT_EQ(out.request.fields.find("x-amz-security-token"), "T");
  EXPECT_THAT(std::string(*out.request.fields.find("authorization")),
              HasSubstr("host;x-amz-content-sha256;x-amz-date"));
  for (const http::Field& field : out.request.fields) EXPECT_THAT(std::string(field.value), Not(HasSubstr("secret")));
}

}  // namespace
}  // namespace parley::s3
