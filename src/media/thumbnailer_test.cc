#include "media/thumbnailer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "media/testing/stored_media.h"

namespace parley::media {
namespace {

using ::testing::ElementsAre;
using testing::StoredMedia;

// A picture of three by two with a small thumbnail, whatever it is given.
constexpr const char* kMakes =
    R"sh(printf '\0\010\0\0\0\003\0\0\0\002\0\0\0' >&4; printf '\001\016\0\0\0RIFF\006\0\0\0WEBPxx' >&4)sh";

class ThumbnailerTest : public ::testing::Test {
 protected:
  ~ThumbnailerTest() override { close(); }

  Thumbnailer& thumbnailer() {
    if (!thumbnailer_) {
      settings.step_timeout = std::chrono::hours(1'000'000);
      thumbnailer_.emplace(*media.store, *media.blobs, media.clock, metrics, settings);
    }
    return *thumbnailer_;
  }
  void use(const std::string& script) { settings.program.command = {"/bin/sh", "-c", script}; }
  void start() {
    Thumbnailer& started = thumbnailer();
    media.loop().post([this, &started] { started.start(media.loop()); });
    started_ = true;
  }
  void close() {
    if (!std::exchange(started_, false)) return;
    std::promise<void> closed;
    media.loop().post([&] { thumbnailer_->close([&closed] { closed.set_value(); }); });
    closed.get_future().wait();
  }
  double count(const std::string& outcome) const {
    const std::string line = "\nparley_media_thumbnails_total{outcome=\"" + outcome + "\"} ";
    const std::string text = metrics.text();
    const auto at = text.find(line);
    return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size()));
  }
  void until_counted(const std::string& outcome, double times = 1) const {
    while (count(outcome) < times) std::this_thread::yield();
  }
  File picture() { return media.file("a picture", "image/png"); }
  Result<std::string> small_of(const File& file) { return media.wait(read_small(*media.files, file.id)); }

  StoredMedia media;
  Metrics metrics;
  Thumbnailer::Settings settings{.program = {.command = {"/bin/sh", "-c", kMakes}}};

 private:
  static Task<Result<std::string>> read_small(BlobStore& blobs, FileId id) {
    auto reader = co_await blobs.open_thumbnail(id, ThumbnailSize::kSmall, StoredMedia::kNoHurry);
    if (!reader) co_return fail(reader.error());
    auto body = (*reader)->read({0, (*reader)->size()});
    co_return co_await http::read_all(*body, 1 << 20);
  }
  std::optional<Thumbnailer> thumbnailer_;
  bool started_ = false;
};

TEST_F(ThumbnailerTest, AStoredPictureGetsItsSizeAndItsThumbnails) {
  start();
  const File file = picture();
  thumbnailer().take(file);
  until_counted("made");
  const auto now = media.get(file.id);
  EXPECT_EQ(now->image, (ImageSize{3, 2}));
  EXPECT_THAT(now->thumbnails, ElementsAre(ThumbnailSize::kSmall));
  EXPECT_TRUE(small_of(file)->starts_with("RIFF"));
}

TEST_F(ThumbnailerTest, WhatIsNoPictureIsPassedOver) {
  start();
  for (const char* type : {"text/plain", "image/svg+xml", "image/tiff", "image/heic", "application/pdf"}) {
    EXPECT_FALSE(is_picture(type)) << type;
    thumbnailer().take(media.file("bytes", type));
  }
  EXPECT_EQ(thumbnailer().queued(), 0u);
}

TEST_F(ThumbnailerTest, ThePictureAndItsTypeReachTheChild) {
  use(std::string(R"sh([ "$0" = image/gif ] && [ "$(cat <&3)" = "GIF bytes" ] || exit 12; )sh") + kMakes);
  start();
  thumbnailer().take(media.file("GIF bytes", "image/gif"));
  until_counted("made");
}

TEST_F(ThumbnailerTest, APictureThatCannotBeDecodedCostsItsThumbnailsAlone) {
  use(std::string(R"sh(bytes=$(cat <&3); [ "$bytes" = bad ] && exit 12; )sh") +
      R"sh([ "$bytes" = bomb ] && { printf '\0\010\0\0\0\003\0\0\0\002\0\0\0' >&4; exit 11; }; )sh" +
      R"sh([ "$bytes" = crash ] && kill -SEGV $$; )sh" + kMakes);
  start();
  const File bad = media.file("bad", "image/png");
  const File bomb = media.file("bomb", "image/png");
  const File crash = media.file("crash", "image/png");
  const File good = media.file("good", "image/png");
  for (const File& file : {bad, bomb, crash, good}) thumbnailer().take(file);
  until_counted("made");
  until_counted("broken");
  until_counted("too_many_pixels");
  until_counted("crashed");
  EXPECT_FALSE(media.get(bad.id)->image);
  EXPECT_EQ(media.get(bomb.id)->image, (ImageSize{3, 2}));
  EXPECT_TRUE(media.get(bomb.id)->thumbnails.empty());
  EXPECT_FALSE(media.get(crash.id)->thumbnails.size());
}

TEST_F(ThumbnailerTest, APictureThatIsDeletedMeanwhileLeavesNothing) {
  const File before = picture();
  media.remove(before);
  start();
  thumbnailer().take(before);
  until_counted("deleted");
  close();
  EXPECT_FALSE(small_of(before));
}

TEST_F(ThumbnailerTest, ThumbnailsOfAPictureThatIsDeletedWhileTheyAreMadeGoWithItsBytes) {
  const File file = picture();
  media.blobs->fault = [&](std::string_view call, const FileId&) -> std::optional<Error> {
    // The thumbnails are made by now.
    if (call == "put_thumbnail") media.damage("UPDATE files SET deleted_at = 1");
    return std::nullopt;
  };
  start();
  thumbnailer().take(file);
  until_counted("deleted");
  close();
  ASSERT_TRUE(media.wait(media.files->remove(file.id, StoredMedia::kNoHurry)));
  EXPECT_FALSE(media.has_object(file.id, ".small"));
}

TEST_F(ThumbnailerTest, APictureOfALastProcessIsFoundAtTheStart) {
  const File file = picture();
  start();
  until_counted("made");
  EXPECT_TRUE(media.get(file.id)->image);
}

TEST_F(ThumbnailerTest, OldPicturesAndThoseThatWereTriedAreLeftAlone) {
  const File old = picture();
  media.clock.advance(std::chrono::hours(49));
  const File tried = picture();
  ASSERT_TRUE(
      media.wait(media.store->set_picture({tried.tenant, tried.id, ImageSize{9, 9}, {}}, StoredMedia::kNoHurry)));
  const File fresh = picture();
  start();
  until_counted("made");
  close();
  EXPECT_TRUE(media.get(fresh.id)->image);
  EXPECT_FALSE(media.get(old.id)->image);
  EXPECT_EQ(media.get(tried.id)->image, (ImageSize{9, 9}));
}

TEST_F(ThumbnailerTest, WhatFindsNoPlaceInTheQueueIsCountedAndMadeLater) {
  settings.queue_limit = 2;
  thumbnailer();  // takes before it has started
  media.clock.advance(std::chrono::hours(49));
  std::vector<File> files;
  for (int i = 0; i < 7; ++i) files.push_back(picture());
  for (const File& file : files) thumbnailer().take(file);
  EXPECT_EQ(thumbnailer().queued(), 2u);
  EXPECT_EQ(count("dropped"), 5);
  start();
  until_counted("made", 7);
  for (const File& file : files) EXPECT_TRUE(media.get(file.id)->image);
}

TEST_F(ThumbnailerTest, AStoreThatFailsIsAskedAgainLater) {
  settings.retry = std::chrono::milliseconds(1);
  std::atomic<int> failures = 3;
  media.blobs->fault = [&](std::string_view call, const FileId&) -> std::optional<Error> {
    if (call != "put_thumbnail" || failures-- <= 0) return std::nullopt;
    return Error{.kind = ErrorKind::kUnavailable, .code = "unavailable"};
  };
  start();
  const File file = picture();
  thumbnailer().take(file);
  until_counted("made");
  EXPECT_GE(count("failed"), 1);
  EXPECT_TRUE(media.get(file.id)->image);
}

TEST_F(ThumbnailerTest, OnlyWhatTheStoreFailedForIsTriedAgain) {
  settings.retry = std::chrono::milliseconds(1);
  use(std::string(R"sh([ "$(cat <&3)" = bad ] && exit 12; )sh") + kMakes);
  std::atomic<int> failures = 3;
  media.blobs->fault = [&](std::string_view call, const FileId&) -> std::optional<Error> {
    if (call != "put_thumbnail" || failures-- <= 0) return std::nullopt;
    return Error{.kind = ErrorKind::kUnavailable, .code = "unavailable"};
  };
  const File lost = picture();
  std::filesystem::remove(media.object(lost.id));
  media.file("bad", "image/png");
  picture();
  start();  // and looks back
  until_counted("made");
  close();
  EXPECT_EQ(count("missing"), 1);
  EXPECT_EQ(count("broken"), 1);
  EXPECT_EQ(count("failed"), 3);
}

TEST_F(ThumbnailerTest, WithoutTheLibraryNothingIsTriedAnyMore) {
  use("exit 13");
  start();
  thumbnailer().take(picture());
  until_counted("no_library");
  for (int i = 0; i < 5; ++i) thumbnailer().take(picture());
  close();
  EXPECT_LE(count("no_library"), 2) << "one for each child at once";
  EXPECT_EQ(thumbnailer().queued(), 0u);
}

TEST_F(ThumbnailerTest, AtTheEndTheChildrenAreKilledAndNobodyWaitsForThem) {
  use("sleep 600");
  start();
  for (int i = 0; i < 5; ++i) thumbnailer().take(picture());
  while (thumbnailer().queued() > 3) std::this_thread::yield();
  close();
}

}  // namespace
}  // namespace parley::media
