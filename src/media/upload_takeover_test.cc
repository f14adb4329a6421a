// Requests that are cut, that come twice at once, or that an abort or a restart meets half way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/testing/media_fixture.h"

namespace parley::media {
namespace {

using http::Method;
using testing::Answer;
using testing::sha256_hex;
using testing::some_bytes;
using testing::text_of;

class UploadTakeover : public testing::MediaFixture {
 protected:
  std::unique_ptr<Sent> send_chunk(const std::string& upload, std::uint64_t index, std::size_t loop = 0,
                                   testing::HeaderList headers = {}) {
    return send(Method::kPost, "/upload/chunk/" + upload + "?index=" + std::to_string(index), std::move(headers), {},
                loop);
  }
  const std::string bytes_ = some_bytes(2000);
};

TEST_F(UploadTakeover, WhatCameOfAChunkIsKeptWhenTheConnectionIsLost) {
  const std::string id = begin(2000);
  auto first = send_chunk(id, 0);
  first->body().push(bytes_.substr(0, 600));
  wait_until_received(id, 600);
  EXPECT_THAT(stored_upload(id).present, ::testing::IsEmpty());
  first->body().cut();
  EXPECT_EQ(first->answer().status, 400);
  EXPECT_THAT(stored_upload(id).present, ::testing::ElementsAre(ByteRange{0, 600}));

  restart();
  EXPECT_EQ(progress(id).at("received"), 600);
  EXPECT_EQ(put(id, 0, bytes_.substr(0, 1000)).status, 200);
  EXPECT_EQ(put(id, 1, bytes_.substr(1000)).status, 200);
  EXPECT_EQ(complete(id).status, 201);
  EXPECT_EQ(bytes_of(id), bytes_);
}

TEST_F(UploadTakeover, ALongRequestRecordsWhatCameAfterMuchButNotEachMoment) {
  close_and_open_with_chunks_of(400'000);
  const std::string id = begin(400'000);
  auto sent = send_chunk(id, 0);
  sent->body().push(some_bytes(150'000));
  sent->body().push(some_bytes(150'000));
  wait_until_received(id, 300'000);
  EXPECT_THAT(stored_upload(id).present, ::testing::IsEmpty());
  clock_.advance_steady(kCheckpointPause);
  sent->body().push("x");
  while (stored_upload(id).present.empty()) std::this_thread::yield();
  EXPECT_EQ(stored_upload(id).present.front().first, 0u);
  EXPECT_GE(stored_upload(id).present.front().end, 300'000u);  // with the last byte, or before it came
  sent->body().cut();
  EXPECT_EQ(sent->answer().status, 400);
}

TEST_F(UploadTakeover, AnotherBeginningOfACutChunkDiffers) {
  const std::string id = begin(2000);
  auto first = send_chunk(id, 0);
  first->body().push(bytes_.substr(0, 600));
  wait_until_received(id, 600);
  first->body().cut();
  EXPECT_EQ(first->answer().status, 400);
  EXPECT_EQ(put(id, 0, std::string(1000, 'x')).code(), "chunk_differs");
  EXPECT_EQ(put(id, 0, bytes_.substr(0, 600) + std::string(400, 'y')).status, 200);
}

TEST_F(UploadTakeover, WithAChecksumNothingOfACutChunkIsKept) {
  const std::string id = begin(2000);
  auto first = send_chunk(id, 0, 0, {{"X-Checksum-SHA256", sha256_hex(bytes_.substr(0, 1000))}});
  first->body().push(bytes_.substr(0, 600));
  wait_until_received(id, 600);
  first->body().cut();
  EXPECT_EQ(first->answer().status, 400);
  EXPECT_EQ(progress(id).at("received"), 0);
}

TEST_F(UploadTakeover, ALaterRequestForTheSameChunkTakesOver) {
  const std::string id = begin(2000);
  for (const std::size_t loop : {0u, 1u}) {  // on the same loop, and on another
    auto dead = send_chunk(id, loop, 0);
    const std::string chunk = bytes_.substr(loop * 1000, 1000);
    dead->body().push(chunk.substr(0, 300));
    wait_until_received(id, static_cast<std::int64_t>(loop * 1000 + 300));
    auto alive = send_chunk(id, loop, loop);
    const Answer over = dead->answer();
    EXPECT_EQ(over.status, 409);
    EXPECT_EQ(over.code(), "upload_taken_over");
    alive->body().push(chunk);
    alive->body().end();
    EXPECT_EQ(alive->answer().status, 200) << alive->answer().body;
  }
  EXPECT_EQ(complete(id).status, 201);
  EXPECT_EQ(bytes_of(id), bytes_);
}

TEST_F(UploadTakeover, OfManyTheLastOneWins) {
  const std::string id = begin(2000);
  std::vector<std::unique_ptr<Sent>> sent;
  for (std::size_t i = 0; i < 8; ++i) {
    sent.push_back(send_chunk(id, 0, i % 2));
    sent.back()->body().push(bytes_.substr(0, 100));
    wait_until_received(id, 100);
    while (i > 0 && sent.size() > 1) {  // each ends the one before
      EXPECT_EQ(sent[sent.size() - 2]->answer().code(), "upload_taken_over");
      break;
    }
  }
  sent.back()->body().push(bytes_.substr(100, 900));
  sent.back()->body().end();
  EXPECT_EQ(sent.back()->answer().status, 200);
}

TEST_F(UploadTakeover, OtherChunksAreLeftAlone) {
  const std::string id = begin(2000);
  auto first = send_chunk(id, 0, 0);
  auto second = send_chunk(id, 1, 1);
  first->body().push(bytes_.substr(0, 500));
  second->body().push(bytes_.substr(1000, 500));
  wait_until_received(id, 1000);
  second->body().push(bytes_.substr(1500));
  second->body().end();
  EXPECT_EQ(second->answer().status, 200);
  first->body().push(bytes_.substr(500, 500));
  first->body().end();
  EXPECT_EQ(first->answer().status, 200);
  EXPECT_EQ(complete(id).status, 201);
  EXPECT_EQ(bytes_of(id), bytes_);
}

TEST_F(UploadTakeover, AnAbortEndsWhatIsOnItsWay) {
  const std::string id = begin(2000);
  auto first = send_chunk(id, 0, 0);
  auto second = send_chunk(id, 1, 1);
  first->body().push(bytes_.substr(0, 500));
  second->body().push(bytes_.substr(1000, 500));
  wait_until_received(id, 1000);
  EXPECT_EQ(client("ada").remove("/upload/" + id).status, 204);
  EXPECT_EQ(first->answer().code(), "not_found");
  EXPECT_EQ(second->answer().code(), "not_found");
  expect_nothing_left();
}

TEST_F(UploadTakeover, ALongChunkIsRecordedOnTheWay) {
  close_and_open_with_chunks_of(500'000);
  const std::string bytes = some_bytes(500'000);
  const std::string id = begin(500'000);
  auto sent = send_chunk(id, 0);
  for (std::size_t at = 0; at < 280'000; at += 20'000) sent->body().push(bytes.substr(at, 20'000));
  wait_until_received(id, 280'000);
  clock_.advance_steady(kCheckpointPause);
  sent->body().push(bytes.substr(280'000, 20'000));
  while (bytes_present(stored_upload(id)) < 280'000) std::this_thread::yield();
  for (std::size_t at = 300'000; at < 500'000; at += 20'000) sent->body().push(bytes.substr(at, 20'000));
  sent->body().end();
  EXPECT_EQ(sent->answer().status, 200);
  const int opened = blobs_->opened;
  const Answer done = complete(id);
  EXPECT_EQ(text_of(done.json().as_object(), "sha256"), sha256_hex(bytes));
  EXPECT_EQ(blobs_->opened - opened, 1);
}

TEST_F(UploadTakeover, WhatIsCompleteButNotFinishedIsFinishedAfterARestart) {
  const std::string id = begin(2000);
  EXPECT_EQ(put(id, 0, bytes_.substr(0, 1000)).status, 200);
  EXPECT_EQ(put(id, 1, bytes_.substr(1000)).status, 200);
  // As a crash between sealing and telling the store leaves it.
  ASSERT_TRUE(loop_.run(files_->seal(FileId(id), 2000, kNoHurry)));
  restart();
  EXPECT_EQ(put(id, 1, bytes_.substr(1000)).status, 200);
  const Answer done = complete(id);
  ASSERT_EQ(done.status, 201) << done.body;
  EXPECT_EQ(text_of(done.json().as_object(), "sha256"), sha256_hex(bytes_));
}

class UploadVerification : public testing::MediaFixture {
 protected:
  UploadVerification() : MediaFixture({}, std::chrono::milliseconds(0)) {}
  std::string out_of_order(const std::string& bytes, const std::string& more = "") {
    const std::string id = begin(bytes.size(), "a", more);
    EXPECT_EQ(put(id, 1, bytes.substr(1000)).status, 200);
    EXPECT_EQ(put(id, 0, bytes.substr(0, 1000)).status, 200);
    return id;
  }
  Answer complete_at_last(const std::string& id) {
    for (;;) {
      Answer answer = complete(id);
      if (answer.status != 202) return answer;
      std::this_thread::yield();
    }
  }
};

TEST_F(UploadVerification, ThatTakesLongIsAnswered202UntilItIsDone) {
  const std::string bytes = some_bytes(2000);
  const std::string id = out_of_order(bytes);
  blobs_->reads_stop = true;
  const Answer first = complete(id);
  EXPECT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.header("Retry-After"), "1");
  EXPECT_EQ(text_of(first.json().as_object(), "upload_id"), id);
  EXPECT_EQ(complete(id).status, 202);
  blobs_->reads_stop = false;
  const Answer done = complete_at_last(id);
  EXPECT_TRUE(done.status == 200 || done.status == 201) << done.body;
  EXPECT_EQ(text_of(done.json().as_object(), "sha256"), sha256_hex(bytes));
  EXPECT_EQ(announced_.size(), 1u);
}

TEST_F(UploadVerification, ThatFailsIsRememberedForWhoAsksAgain) {
  const std::string id = out_of_order(some_bytes(2000), R"(,"sha256":")" + sha256_hex("other") + "\"");
  EXPECT_EQ(complete_at_last(id).code(), "checksum_mismatch");
  EXPECT_EQ(complete_at_last(id).code(), "checksum_mismatch");
  EXPECT_EQ(client("ada").get("/upload/" + id + "/progress").code(), "checksum_mismatch");
  EXPECT_EQ(client("ada", "globex").get("/upload/" + id + "/progress").code(), "not_found");
  expect_nothing_left();
}

TEST_F(UploadVerification, IsCutShortByAnAbort) {
  const std::string id = out_of_order(some_bytes(2000));
  blobs_->reads_stop = true;
  EXPECT_EQ(complete(id).status, 202);
  EXPECT_EQ(client("ada").remove("/upload/" + id).status, 204);
  blobs_->reads_stop = false;
  EXPECT_EQ(complete_at_last(id).code(), "not_found");
  expect_nothing_left();
}

TEST_F(UploadVerification, OfManyRunsAFewAtATime) {
  std::vector<std::string> ids;
  for (unsigned i = 0; i < 6; ++i) ids.push_back(out_of_order(some_bytes(1500, i)));
  blobs_->reads_stop = true;
  const int opened = blobs_->opened;
  for (const std::string& id : ids) EXPECT_EQ(complete(id).status, 202);
  while (blobs_->opened - opened < 2) std::this_thread::yield();
  EXPECT_EQ(uploads_->verifying(), 6u);
  EXPECT_EQ(blobs_->opened - opened, 2);
  blobs_->reads_stop = false;
  for (unsigned i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(text_of(complete_at_last(ids[i]).json().as_object(), "sha256"), sha256_hex(some_bytes(1500, i)));
  }
}

}  // namespace
}  // namespace parley::media
