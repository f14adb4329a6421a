#include "app/media_objects.h"

#include <future>

#include "app/s3_objects.h"
#include "media/stores/file_blob_store.h"

namespace parley::app {

namespace {

class FolderObjects final : public MediaObjects {
 public:
  explicit FolderObjects(std::unique_ptr<media::FileBlobStore> store) : store_(std::move(store)) {}

  media::BlobStore& store() override { return *store_; }
  std::string_view name() const override { return "objects"; }
  std::vector<Metrics::Scraped> export_metrics(Metrics& metrics) override {
    constexpr const char* kName = "parley_media_object_work_queued";
    constexpr const char* kMeaning = "Reads and writes of files that wait for a thread";
    std::vector<Metrics::Scraped> scraped;
    scraped.push_back(metrics.gauge_from(kName, kMeaning, {{"kind", "read"}},
                                         [this] { return static_cast<double>(store_->reads_queued()); }));
    scraped.push_back(metrics.gauge_from(kName, kMeaning, {{"kind", "write"}},
                                         [this] { return static_cast<double>(store_->writes_queued()); }));
    return scraped;
  }
  Result<> wait_until_ready(EventLoop&, std::chrono::seconds) override { return {}; }
  void start(EventLoop&) override {}
  void stop(std::move_only_function<void()> stopped) override { stopped(); }

 private:
  const std::unique_ptr<media::FileBlobStore> store_;
};

}  // namespace

Result<std::unique_ptr<MediaObjects>> MediaObjects::open(const Settings& settings, EventLoops& loops,
                                                         const Clock& clock, Random& random) {
  if (!settings.s3.endpoint.empty()) return S3Objects::open(settings.s3, loops, clock, random);
  auto store = media::FileBlobStore::open({.folder = settings.serve.data_dir / "media" / "objects"});
  if (!store) return fail(std::move(store.error()));
  return std::make_unique<FolderObjects>(std::move(*store));
}

void stop_and_wait(MediaObjects& objects, EventLoop& loop) {
  std::promise<void> stopped;
  loop.post([&] { objects.stop([&stopped] { stopped.set_value(); }); });
  stopped.get_future().wait();
}

}  // namespace parley::app
