// S3Objects: the bytes of files in a bucket of S3, with the keys, connections and upkeep that belong to it.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "app/media_objects.h"
#include "base/blocking.h"
#include "base/task_group.h"
#include "drivers/s3/credentials.h"
#include "drivers/s3/s3_client.h"
#include "http/http_upstream.h"
#include "media/stores/s3_blob_store.h"
#include "resilience/timer.h"

namespace parley::app {

class S3Objects final : public MediaObjects {
 public:
  static Result<std::unique_ptr<MediaObjects>> open(const S3Settings& settings, EventLoops& loops, const Clock& clock,
                                                    Random& random);
  ~S3Objects() override;

  media::BlobStore& store() override { return *store_; }
  std::string_view name() const override { return "s3"; }
  std::vector<Metrics::Scraped> export_metrics(Metrics& metrics) override;
  Result<> wait_until_ready(EventLoop& loop, std::chrono::seconds longest) override;
  void start(EventLoop& loop) override;
  void stop(std::move_only_function<void()> stopped) override;

 private:
  S3Objects(EventLoops& loops, const Clock& clock, Random& random) : loops_(loops), clock_(clock), random_(random) {}
  Result<> connect(const S3Settings& settings);
  Result<> make_credentials(const S3Settings& settings);
  Task<> clear_leftovers();

  EventLoops& loops_;
  const Clock& clock_;
  Random& random_;
  LoopTimer timer_;
  BlockingPool key_reader_{"s3-keys", 1, 64};
  std::unique_ptr<s3::CredentialsSource> credentials_;
  http::HttpUpstream* connections_ = nullptr;  // the client's
  std::unique_ptr<s3::S3Client> client_;
  std::unique_ptr<media::S3BlobStore> store_;

  // Of what crashes left, on the loop that start() was given.
  std::optional<TaskGroup> tasks_;
  std::optional<Deadline> next_;
  bool stopping_ = false;
};

}  // namespace parley::app
