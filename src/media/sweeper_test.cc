#include "media/sweeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "media/testing/stored_media.h"
#include "media/tus_concat.h"

namespace parley::media {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::StoredMedia;

Error unavailable_error() {
  return Error{.kind = ErrorKind::kUnavailable, .code = "unavailable"};
}

class SweeperTest : public ::testing::Test {
 protected:
  Sweeper& sweeper() {
    if (!sweeper_) {
      settings.step_timeout = hours(1'000'000);
      sweeper_.emplace(media.loop(), *media.store, *media.blobs, media.clock, media.random, metrics, settings);
    }
    return *sweeper_;
  }
  bool sweep() { return media.wait(sweeper().sweep()); }
  double metric(const std::string& name) const {
    const std::string text = "\n" + metrics.text();
    const auto at = text.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }
  double swept(const std::string& what) const { return metric("parley_media_swept_total{what=\"" + what + "\"}"); }
  UsageCount usage() {
    return media.wait(media.store->get_usage(TenantId("acme"), UserId("ann"), StoredMedia::kNoHurry))->user;
  }
  // Removing these objects fails.
  void break_removal_of(std::vector<FileId> ids) {
    media.blobs->fault = [ids](std::string_view call, const FileId& id) -> std::optional<Error> {
      const bool broken = call == "remove" && (ids.empty() || std::ranges::find(ids, id) != ids.end());
      return broken ? std::optional(unavailable_error()) : std::nullopt;
    };
  }

  StoredMedia media;
  Metrics metrics;
  Sweeper::Settings settings;

 private:
  std::optional<Sweeper> sweeper_;
};

TEST_F(SweeperTest, ExpiredUploadsGoWithTheirBytesAndTheirReservation) {
  const Upload expired = media.upload("expired");
  media.clock.advance(minutes(50));
  const Upload under_way = media.upload("under way");
  media.clock.advance(minutes(20));
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(expired.id, ".part"));
  EXPECT_TRUE(media.has_object(under_way.id, ".part"));
  EXPECT_EQ(usage().reserved, 9u);
  EXPECT_EQ(swept("expired_uploads"), 1);
  EXPECT_TRUE(sweep());
  EXPECT_EQ(swept("expired_uploads"), 1);
}

TEST_F(SweeperTest, MoreThanOneBatchGoesInOneRound) {
  settings.at_once = 2;
  for (int i = 0; i < 7; ++i) media.upload("expired");
  for (int i = 0; i < 5; ++i) media.remove(media.file("gone"));
  media.clock.advance(hours(25));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(swept("expired_uploads"), 7);
  EXPECT_EQ(swept("deleted_files"), 5);
}

TEST_F(SweeperTest, AnUploadThatIsWholeIsPassedOnWithEachRoundAndDoesNotExpire) {
  settings.at_once = 2;
  std::vector<FileId> whole, passed_on;
  for (int i = 0; i < 5; ++i) whole.push_back(media.upload("whole", UploadKind::kTus).id);
  const Upload cut = media.upload("chunks that nobody completed");
  sweeper().on_whole = [&passed_on](Upload upload) { passed_on.push_back(upload.id); };
  for (int hour = 0; hour < 30; ++hour) {
    EXPECT_TRUE(sweep());
    media.clock.advance(hours(1));
  }
  media.clock.advance(hours(24));
  EXPECT_TRUE(sweep());
  for (const FileId& id : whole) {
    EXPECT_TRUE(media.has_object(id, ".part"));
    EXPECT_GT(std::ranges::count(passed_on, id), 5);
  }
  EXPECT_FALSE(media.has_object(cut.id, ".part"));
  EXPECT_EQ(swept("expired_uploads"), 1);
  // Nothing is tried for ever.
  media.clock.advance(hours(24 * 6));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(swept("expired_uploads"), 6);
}

TEST_F(SweeperTest, PartialUploadsStayForWhatIsToBeMadeOfThem) {
  const Upload partial = media.upload("a part", UploadKind::kTusPartial);
  const Upload needless = media.upload("of nothing", UploadKind::kTusPartial);
  Upload made = partial;
  made.id = media.bare_object("");
  made.kind = UploadKind::kTus;
  made.reserved = 0;
  made.tus_metadata = pack({"", "final;/tus/" + partial.id.value});
  ASSERT_TRUE(media.wait(media.store->begin_upload(made, StoredMedia::kNoHurry)));
  media.clock.advance(hours(25));
  EXPECT_TRUE(sweep());
  EXPECT_TRUE(media.has_object(partial.id, ".part"));
  EXPECT_TRUE(media.has_object(made.id, ".part"));
  EXPECT_FALSE(media.has_object(needless.id, ".part"));
}

TEST_F(SweeperTest, NothingExpiresWhileItIsNotKnownWhatIsWhole) {
  const Upload expired = media.upload("expired");
  const Upload whole = media.upload("whole", UploadKind::kTus);
  media.clock.advance(hours(2));
  media.damage("CREATE TRIGGER broken BEFORE UPDATE ON uploads BEGIN SELECT RAISE(ABORT, 'no'); END");
  EXPECT_FALSE(sweep());
  EXPECT_TRUE(media.has_object(whole.id, ".part"));
  EXPECT_TRUE(media.has_object(expired.id, ".part"));
  media.damage("DROP TRIGGER broken");
  EXPECT_TRUE(sweep());
  EXPECT_TRUE(media.has_object(whole.id, ".part"));
  EXPECT_FALSE(media.has_object(expired.id, ".part"));
}

TEST_F(SweeperTest, WhatAnEarlierProcessLeftHalfTakenIsForgottenAtTheStartAndWhatThisOneTakesIsNot) {
  const Upload left = media.upload("left", UploadKind::kWhole);
  const Upload resumable = media.upload("resumable", UploadKind::kTus);
  media.clock.advance(minutes(1));
  sweeper();
  const Upload of_this_process = media.upload("of this process", UploadKind::kWhole);
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(left.id, ".part"));
  EXPECT_TRUE(media.has_object(resumable.id, ".part"));
  EXPECT_TRUE(media.has_object(of_this_process.id, ".part"));
  EXPECT_EQ(swept("interrupted_uploads"), 1);
}

TEST_F(SweeperTest, BytesOfDeletedFilesGoAfterTheirGrace) {
  settings.deleted_files_kept = hours(24);
  const File kept = media.file("kept");
  const File gone = media.file("gone");
  media.remove(gone);
  media.clock.advance(hours(23));
  EXPECT_TRUE(sweep());
  EXPECT_TRUE(media.has_object(gone.id));
  media.clock.advance(hours(2));
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(gone.id));
  EXPECT_TRUE(media.has_object(kept.id));
  EXPECT_EQ(swept("deleted_files"), 1);
  EXPECT_TRUE(media.wait(media.store->find_blobs({gone.id}, StoredMedia::kNoHurry))->empty());
}

TEST_F(SweeperTest, OneObjectThatCannotBeRemovedStopsNoOtherAndComesAgain) {
  settings.at_once = 2;
  std::vector<File> gone;
  for (int i = 0; i < 5; ++i) {
    gone.push_back(media.file("gone"));
    media.remove(gone.back());
    media.clock.advance(milliseconds(1));
  }
  media.clock.advance(hours(25));
  break_removal_of({gone[0].id});
  EXPECT_FALSE(sweep());
  EXPECT_TRUE(media.has_object(gone[0].id));
  for (int i = 1; i < 5; ++i) EXPECT_FALSE(media.has_object(gone[i].id)) << i;
  EXPECT_GT(metric("parley_media_sweep_failures_total"), 0);
  break_removal_of({FileId("none")});
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(gone[0].id));
  EXPECT_EQ(swept("deleted_files"), 5);
}

TEST_F(SweeperTest, WhereOthersWriteTheStoreAWholeUploadIsForgottenWhenItExpires) {
  settings.shared = true;
  const Upload of_another = media.upload("another's", UploadKind::kWhole);
  media.clock.advance(minutes(1));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(usage().reserved, 9u);
  EXPECT_TRUE(media.has_object(of_another.id, ".part"));
  media.clock.advance(hours(2));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(usage().reserved, 0u);
  EXPECT_EQ(swept("expired_uploads"), 1);
}

TEST_F(SweeperTest, BytesOfAnUploadThatCouldNotBeRemovedAreFoundAsAnOrphan) {
  const Upload expired = media.upload("expired");
  media.clock.advance(minutes(70));
  break_removal_of({});
  EXPECT_FALSE(sweep());
  EXPECT_TRUE(media.has_object(expired.id, ".part"));
  media.blobs->fault = nullptr;
  media.clock.advance(hours(25));
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(expired.id, ".part"));
  EXPECT_EQ(swept("orphans"), 1);
}

TEST_F(SweeperTest, AStoreThatFailsIsAskedLessAndLessOftenAndThenAsBefore) {
  settings.interval = minutes(1);
  EXPECT_TRUE(sweep());
  EXPECT_GE(sweeper().pause(), milliseconds(54'000));
  EXPECT_LE(sweeper().pause(), milliseconds(66'000));
  media.upload("expired");
  media.clock.advance(hours(2));
  media.damage("CREATE TRIGGER broken BEFORE DELETE ON uploads BEGIN SELECT RAISE(ABORT, 'no'); END");
  EXPECT_FALSE(sweep());
  EXPECT_GE(sweeper().pause(), milliseconds(2 * 54'000));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(sweep());
  EXPECT_GE(sweeper().pause(), milliseconds(32 * 54'000));
  EXPECT_LE(sweeper().pause(), milliseconds(32 * 66'000));
  media.damage("DROP TRIGGER broken");
  EXPECT_TRUE(sweep());
  EXPECT_LE(sweeper().pause(), milliseconds(66'000));
}

TEST_F(SweeperTest, WhenNoObjectCanBeRemovedItDoesNotTryThemAll) {
  for (int i = 0; i < 20; ++i) media.remove(media.file("gone"));
  media.clock.advance(hours(25));
  int tried = 0;
  media.blobs->fault = [&tried](std::string_view call, const FileId&) -> std::optional<Error> {
    if (call != "remove") return std::nullopt;
    ++tried;
    return unavailable_error();
  };
  EXPECT_FALSE(sweep());
  EXPECT_EQ(tried, 5);
}

TEST_F(SweeperTest, OrphansGoOnceTheyAreOldAndWhatIsKnownStays) {
  const FileId orphan = media.bare_object("nobody's");
  const FileId sealed_orphan = media.bare_object("sealed");
  ASSERT_TRUE(media.wait(media.files->seal(sealed_orphan, 6, StoredMedia::kNoHurry)));
  EXPECT_TRUE(sweep());
  EXPECT_TRUE(media.has_object(orphan, ".part")) << "not before the process is old enough";
  media.clock.advance(hours(2));
  const File file = media.file("somebody's");
  const Upload upload = media.upload("an upload");
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(orphan, ".part"));
  EXPECT_FALSE(media.has_object(sealed_orphan));
  EXPECT_TRUE(media.has_object(file.id));
  EXPECT_TRUE(media.has_object(upload.id, ".part"));
  EXPECT_EQ(swept("orphans"), 2);
  EXPECT_EQ(metric("parley_media_orphans"), 0);
}

TEST_F(SweeperTest, TheComparisonComesOnceADay) {
  sweep();
  media.clock.advance(hours(2));
  sweep();
  const FileId orphan = media.bare_object("nobody's");
  media.clock.advance(hours(23));
  sweep();
  EXPECT_TRUE(media.has_object(orphan, ".part"));
  media.clock.advance(hours(2));
  sweep();
  EXPECT_FALSE(media.has_object(orphan, ".part"));
}

TEST_F(SweeperTest, AFileWhoseObjectIsMissingIsToldOfAndKept) {
  const File file = media.file("lost");
  sweep();
  EXPECT_EQ(metric("parley_media_object_faults"), 0);
  std::filesystem::remove(media.object(file.id));
  media.clock.advance(hours(2));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(metric("parley_media_object_faults"), 1);
  EXPECT_TRUE(media.get(file.id));
  std::ofstream(media.object(file.id)) << "lost";
  media.clock.advance(hours(25));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(metric("parley_media_object_faults"), 0);
}

TEST_F(SweeperTest, WhereMostObjectsBelongToNobodyTheMetadataIsTakenForWrongAndNothingGoes) {
  sweeper();
  std::vector<FileId> orphans;
  for (int i = 0; i < 101; ++i) orphans.push_back(media.bare_object("of another store"));
  media.file("one");
  media.clock.advance(hours(2));
  EXPECT_TRUE(sweep());
  for (const FileId& id : orphans) EXPECT_TRUE(media.has_object(id, ".part"));
  EXPECT_EQ(metric("parley_media_orphans"), 101);
  for (int i = 0; i < 101; ++i) media.bare_object("and then they are few");
  for (const FileId& id : orphans) std::filesystem::remove(media.object(id, ".part"));
  for (int i = 0; i < 101; ++i) media.file("beside what is known");
  media.clock.advance(hours(25));
  EXPECT_TRUE(sweep());
  EXPECT_EQ(swept("orphans"), 101);
  EXPECT_EQ(metric("parley_media_orphans"), 0);
}

TEST_F(SweeperTest, AComparisonThatFailsComesAgainWithTheNextRound) {
  sweep();
  const FileId orphan = media.bare_object("nobody's");
  media.clock.advance(hours(2));
  media.blobs->fault = [](std::string_view call, const FileId&) -> std::optional<Error> {
    return call == "list" ? std::optional(unavailable_error()) : std::nullopt;
  };
  EXPECT_FALSE(sweep());
  media.blobs->fault = nullptr;
  EXPECT_TRUE(sweep());
  EXPECT_FALSE(media.has_object(orphan, ".part"));
}

TEST_F(SweeperTest, ItRunsByItselfUntilItIsClosed) {
  const Upload expired = media.upload("expired");
  media.clock.advance(hours(2));
  Sweeper& sweeper = this->sweeper();
  media.loop().post([&sweeper] { sweeper.start(); });
  while (media.has_object(expired.id, ".part")) std::this_thread::yield();
  std::promise<void> closed;
  media.loop().post([&] { sweeper.close([&closed] { closed.set_value(); }); });
  closed.get_future().wait();
}

}  // namespace
}  // namespace parley::media
