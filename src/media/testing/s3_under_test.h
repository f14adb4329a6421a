// S3UnderTest: a blob store in a bucket of an S3 that runs already, under a prefix of its own, which goes with it. For
// live tests: PARLEY_TEST_S3_ENDPOINT says where, with the keys that test engines have.
#pragma once
#include <cstdlib>
#include <future>
#include <memory>
#include <string>

#include "base/check.h"
#include "base/run_on_loop.h"
#include "drivers/s3/s3_client.h"
#include "http/http_upstream.h"
#include "media/stores/s3_blob_store.h"
#include "media/testing/blob_store_contract.h"

namespace parley::media::testing {

// Empty: there is none.
inline std::string s3_endpoint() {
  const char* const endpoint = std::getenv("PARLEY_TEST_S3_ENDPOINT");
  return endpoint == nullptr ? "" : endpoint;
}

class S3UnderTest final : public BlobStoreUnderTest {
 public:
  explicit S3UnderTest(S3BlobOptions options = {}, std::string endpoint = s3_endpoint(),
                       std::string bucket = "parley-test",
                       s3::Credentials keys = {.access_key = "testkey", .secret_key = "testsecret123"})
      : credentials_(std::move(keys)),
        options_(std::move(options)),
        endpoint_(std::move(endpoint)),
        bucket_(std::move(bucket)) {
    options_.prefix = "test-" + make_uuid_v7(clock_.wall_now(), random_) + "/";
    loops_.start();
    open();
    // A bucket that is there already is fine.
    (void)run_on_loop(loop(), client_->put("", {}, s3::S3Client::Put::kAlways, kNoHurry));
  }
  ~S3UnderTest() override {
    close();
    open();
    run_on_loop(loop(), remove_all());
    close();
    loops_.stop();
  }

  BlobStore& store() override { return *store_; }
  S3BlobStore& s3_store() { return *store_; }
  s3::S3Client& client() { return *client_; }
  EventLoop& loop() { return loops_.at(2); }
  const S3BlobOptions& options() const { return options_; }
  void reopen() override {
    close();
    open();
  }

 private:
  static constexpr SteadyTime kNoHurry = SteadyTime::max();

  void open() {
    const auto url = http::parse_url(endpoint_);
    CHECK(url.has_value());
    s3::S3ClientOptions options{.address = {.endpoint = *url, .region = "us-east-1", .bucket = bucket_},
                                .loops = loops_.size(),
                                .retry = {.base_delay = std::chrono::milliseconds(5)}};
    auto upstream = std::make_unique<http::HttpUpstream>(
        loops_, http::HttpUpstreamOptions{.name = "s3", .url = options.address.url()});
    client_ = std::make_unique<s3::S3Client>(std::move(upstream), credentials_, clock_, timer_, random_, options);
    store_ = std::make_unique<S3BlobStore>(*client_, clock_, options_);
  }
  // The suite's own loops go on running: nothing of the store may be left on them.
  void close() {
    std::promise<void> closed;
    store_->close([&closed] { closed.set_value(); });
    closed.get_future().wait();
    store_.reset();
    client_.reset();
  }
  Task<int> remove_all() {
    for (s3::ListFrom from{.prefix = options_.prefix};;) {
      auto page = co_await client_->list(from, kNoHurry);
      if (!page) co_return 1;
      std::vector<std::string> keys;
      for (const s3::ListedObject& object : page->objects) keys.push_back(object.key);
      if (!keys.empty()) (void)co_await client_->remove(std::move(keys), kNoHurry);
      if (!page->next) co_return 0;
      from.token = *page->next;
    }
  }

  SystemClock clock_;
  SecureRandom random_;
  LoopTimer timer_;
  EventLoops loops_{3};  // the first two numbers are those of the suite's own loops
  s3::FixedCredentials credentials_;
  S3BlobOptions options_;
  const std::string endpoint_;
  const std::string bucket_;
  std::unique_ptr<s3::S3Client> client_;
  std::unique_ptr<S3BlobStore> store_;
};

}  // namespace parley::media::testing
