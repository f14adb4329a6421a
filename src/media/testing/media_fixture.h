// MediaFixture: the media service over its real store and its real objects in a folder that goes with it, asked without
// a socket. A caller is named by header fields, so that no token is needed. Requests may be asked at once with, and be
// interrupted: see Request.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "drivers/sqlite/temp_folder.h"
#include "http/testing/service_client.h"
#include "media/media_service_factory.h"
#include "media/stores/file_blob_store.h"
#include "media/stores/sqlite_media_store.h"
#include "media/testing/paced_body.h"
#include "media/testing/shown_files.h"
#include "media/upload_engine.h"
#include "media/url_signer.h"

namespace parley::media::testing {

using http::testing::Answer;
using http::testing::HeaderList;
using http::testing::ServiceClient;

// The wall stands still until advanced; the steady time, which waits are held against, is the real one.
class ShiftedClock final : public Clock {
 public:
  void advance(std::chrono::milliseconds by) { wall_.advance(by); }
  WallTime wall_now() const override { return wall_.wall_now(); }
  // Deadlines are real, so this only puts them off.
  void advance_steady(std::chrono::milliseconds by) { ahead_.store(ahead_.load() + by); }
  SteadyTime steady_now() const override { return std::chrono::steady_clock::now() + ahead_.load(); }

 private:
  ManualClock wall_;
  std::atomic<std::chrono::milliseconds> ahead_{};
};

// Blobs that can be made to stop or fail where a test wants it.
class TestBlobs final : public BlobStore {
 public:
  explicit TestBlobs(BlobStore& real) : real_(real) {}
  std::atomic<bool> is_full{false};     // create and seal fail with storage_full
  std::atomic<bool> seals_fail{false};  // as when the disk does not answer
  std::atomic<bool> reads_stop{false};  // of whole files: open() waits until it is false again
  std::atomic<bool> seals_stop{false};  // seal() waits likewise
  std::atomic<int> opened{0};
  std::atomic<std::uint64_t> longest_copy{0};  // bytes
  std::string presigned_base;                  // presigned addresses begin so; empty: none are given

  Task<Result<>> create(FileId id, std::optional<std::uint64_t> size, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobWriter>>> write(FileId id, std::uint64_t offset, std::shared_ptr<Digests> digests,
                                                  SteadyTime deadline) override {
    return real_.write(std::move(id), offset, std::move(digests), deadline);
  }
  Task<Result<>> copy(FileId from, ByteRange range, FileId to, std::uint64_t offset, SteadyTime deadline) override {
    longest_copy = std::max(longest_copy.load(), range.length());
    return real_.copy(std::move(from), range, std::move(to), offset, deadline);
  }
  Task<Result<>> seal(FileId id, std::uint64_t size, SteadyTime deadline) override;
  Task<Result<std::unique_ptr<BlobReader>>> open(FileId id, SteadyTime deadline) override;
  Task<Result<std::optional<std::string>>> presigned_address(FileId id, BlobLabel label, SteadyTime) override {
    if (presigned_base.empty()) co_return std::optional<std::string>();
    co_return presigned_base + id.value + "|" + label.content_type + "|" + label.disposition;
  }
  Task<Result<>> remove(FileId id, SteadyTime deadline) override { return real_.remove(std::move(id), deadline); }
  Task<Result<Page<StoredBlob>>> list(std::optional<FileId> after, std::size_t limit, SteadyTime deadline) override {
    return real_.list(std::move(after), limit, deadline);
  }
  Task<Result<>> put_thumbnail(FileId id, ThumbnailSize size, std::string bytes, SteadyTime deadline) override {
    return real_.put_thumbnail(std::move(id), size, std::move(bytes), deadline);
  }
  Task<Result<std::unique_ptr<BlobReader>>> open_thumbnail(FileId id, ThumbnailSize size,
                                                           SteadyTime deadline) override {
    return real_.open_thumbnail(std::move(id), size, deadline);
  }
  Task<Result<>> ping(SteadyTime deadline) override { return real_.ping(deadline); }

 private:
  static Task<> wait_while(const std::atomic<bool>& stopped);
  BlobStore& real_;
};

class MediaFixture : public ::testing::Test {
 protected:
  static constexpr SteadyTime kNoHurry = SteadyTime::max();
  static constexpr std::uint64_t kChunk = 1000;  // bytes
  static constexpr std::uint64_t kMaxFile = 10'000'000;
  // Longer than a slow machine takes from one piece to the next, and shorter than a request's deadline, which is real:
  // it passes when the test says so.
  static constexpr std::chrono::milliseconds kCheckpointPause = std::chrono::seconds(8);

  explicit MediaFixture(QuotaLimits quotas = {}, std::chrono::milliseconds patience = std::chrono::seconds(10));
  ~MediaFixture() override;

  // As kill -9 and a new start: nothing is finished, nothing remembered but what is on disk.
  void restart();

  // The same with other chunks.
  void close_and_open_with_chunks_of(std::uint64_t bytes) {
    chunk_bytes_ = bytes;
    restart();
  }

  // The same where nothing is waited for that takes longer.
  void patience_is_none() {
    patience_ = {};
    restart();
  }

  static HeaderList as(std::string user, std::string tenant = "acme", std::string roles = "");
  ServiceClient client(std::string user, std::string tenant = "acme", std::string roles = "") {
    return ServiceClient(loop_, *service_, as(std::move(user), std::move(tenant), std::move(roles)));
  }

  // A request on its way, whose body the test brings. On one of two other loops than that of client().
  class Sent {
   public:
    Sent(MediaFixture& fixture, std::size_t loop, http::Method method, std::string target, HeaderList headers,
         std::optional<std::uint64_t> size);
    ~Sent();
    PacedBody& body() { return body_; }
    // Waits for it.
    Answer answer();

   private:
    std::string target_;
    HeaderList headers_;
    PacedBody body_;
    http::Request request_;
    std::future<Answer> future_;
    std::optional<Answer> answer_;
  };
  std::unique_ptr<Sent> send(http::Method method, std::string target, HeaderList headers = {},
                             std::optional<std::uint64_t> size = {}, std::size_t loop = 0);

  // Begun by ada; answers the upload's id.
  std::string begin(std::uint64_t size, std::string filename = "a.bin", std::string more = "");
  Answer put(const std::string& upload, std::uint64_t index, std::string_view bytes, HeaderList headers = {});
  Answer complete(const std::string& upload);
  boost::json::object progress(const std::string& upload);
  // Asks until the upload's progress says that so many bytes were received.
  void wait_until_received(const std::string& upload, std::int64_t bytes);

  Upload stored_upload(const std::string& upload);
  std::string bytes_of(const std::string& file);
  std::vector<StoredBlob> blobs() { return loop_.run(files_->list({}, 100, kNoHurry))->items; }
  Usage usage(const std::string& user = "ada", const std::string& tenant = "acme") {
    return *loop_.run(store_->get_usage(TenantId(tenant), UserId(user), kNoHurry));
  }
  // Neither uploads, nor bytes, nor anything reserved is left of ada's.
  void expect_nothing_left();

  std::uint64_t chunk_bytes_ = kChunk;
  const QuotaLimits quotas_;
  std::chrono::milliseconds patience_;
  ShiftedClock clock_;
  SecureRandom random_;
  Metrics metrics_;
  MediaMetrics media_metrics_{metrics_};
  sqlite::TempFolder folder_;
  std::unique_ptr<ContentTypeSniffer> sniffer_;
  std::unique_ptr<SqliteMediaStore> store_;
  std::unique_ptr<FileBlobStore> files_;
  std::unique_ptr<TestBlobs> blobs_;
  http::testing::LoopThread loop_;
  EventLoops others_{2};
  std::unique_ptr<UploadEngine> uploads_;
  ShownFiles shown_;  // to others than their owners
  std::unique_ptr<FileRights> rights_;
  UrlSigner signer_{{{"a", Secret("0123456789abcdef")}}, [] { return std::string("http://gateway"); }};
  std::unique_ptr<http::Service> service_;
  std::vector<File> announced_;  // by on_stored
  std::mutex announced_mutex_;

 private:
  void open();
  void close();
};

std::string text_of(const boost::json::object& object, const char* name);
std::string sha256_hex(std::string_view bytes);
// Bytes that no other part of the text repeats.
std::string some_bytes(std::size_t size, unsigned seed = 1);

}  // namespace parley::media::testing
