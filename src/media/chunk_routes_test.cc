// Uploads in chunks through their routes: the valid and the invalid space of each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "media/testing/media_fixture.h"

namespace parley::media {
namespace {

namespace json = boost::json;
using http::Method;
using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::sha256_hex;
using testing::some_bytes;
using testing::text_of;

class ChunkRoutes : public testing::MediaFixture {
 protected:
  explicit ChunkRoutes(QuotaLimits quotas = {}) : MediaFixture(quotas) {}
  // All chunks of `bytes` but those left out, in that order.
  void put_all(const std::string& upload, std::string_view bytes, std::vector<std::uint64_t> order) {
    for (const std::uint64_t index : order) {
      const Answer answer = put(upload, index, bytes.substr(index * kChunk, kChunk));
      EXPECT_EQ(answer.status, 200) << answer.body;
    }
  }
  std::string missing(const std::string& upload) {
    return json::serialize(progress(upload).at("chunks").at("missing"));
  }
};

TEST_F(ChunkRoutes, ChunksInOrderBecomeAFileWithoutBeingReadAgain) {
  const std::string bytes = some_bytes(2500);
  const Answer begun =
      client("ada").post("/upload/chunk", R"({"filename":"../a/b \"c\".txt","size":2500,"content_type":"text/plain"})");
  ASSERT_EQ(begun.status, 201) << begun.body;
  const std::string id = text_of(begun.json().as_object(), "upload_id");
  EXPECT_EQ(begun.header("Location"), "chunk/" + id);
  EXPECT_EQ(begun.json().at("chunk_size"), kChunk);
  EXPECT_EQ(usage().user.reserved, 2500u);

  put_all(id, bytes, {0, 1, 2});
  EXPECT_EQ(missing(id), "[]");
  const int opened = blobs_->opened;
  const Answer done = complete(id);
  ASSERT_EQ(done.status, 201) << done.body;
  const json::object file = done.json().as_object();
  EXPECT_EQ(text_of(file, "id"), id);
  EXPECT_EQ(text_of(file, "filename"), "b \"c\".txt");
  EXPECT_EQ(file.at("size"), 2500);
  EXPECT_EQ(text_of(file, "sha256"), sha256_hex(bytes));
  EXPECT_EQ(done.header("Location"), "../../files/" + id);
  EXPECT_EQ(blobs_->opened - opened, 1);  // to tell its type
  EXPECT_EQ(bytes_of(id), bytes);
  EXPECT_EQ(usage().user.stored, 2500u);
  EXPECT_EQ(usage().user.reserved, 0u);
  ASSERT_EQ(announced_.size(), 1u);
  EXPECT_EQ(announced_.front().id.value, id);
}

TEST_F(ChunkRoutes, ChunksInAnyOrderAreReadOverAtTheEnd) {
  const std::string bytes = some_bytes(3500);
  const std::string id = begin(3500);
  put_all(id, bytes, {3, 1});
  EXPECT_EQ(missing(id), "[[0,0],[2,2]]");
  EXPECT_EQ(progress(id).at("received"), 1500);
  put_all(id, bytes, {0, 2});
  const Answer done = complete(id);
  ASSERT_EQ(done.status, 201) << done.body;
  EXPECT_EQ(text_of(done.json().as_object(), "sha256"), sha256_hex(bytes));
  EXPECT_EQ(bytes_of(id), bytes);
}

TEST_F(ChunkRoutes, CompletingAgainAnswersTheSameFile) {
  const std::string id = begin(10);
  EXPECT_EQ(put(id, 0, "0123456789").status, 200);
  const Answer first = complete(id);
  ASSERT_EQ(first.status, 201);
  const Answer again = complete(id);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
  restart();
  EXPECT_EQ(complete(id).body, first.body);
  EXPECT_EQ(announced_.size(), 1u);
  EXPECT_EQ(progress(id).at("state"), "complete");
  EXPECT_EQ(text_of(progress(id).at("file").as_object(), "id"), id);
}

TEST_F(ChunkRoutes, FilesOfNoByteAndOfOne) {
  const std::string none = begin(0);
  EXPECT_EQ(progress(none).at("chunks").at("total"), 0);
  const Answer empty = complete(none);
  ASSERT_EQ(empty.status, 201) << empty.body;
  EXPECT_EQ(text_of(empty.json().as_object(), "sha256"), sha256_hex(""));
  EXPECT_EQ(put(none, 0, "").faulty_paths(), std::vector<std::string>{"query.index"});

  const std::string one = begin(1);
  EXPECT_EQ(put(one, 0, "x").status, 200);
  ASSERT_EQ(complete(one).status, 201);
  EXPECT_EQ(bytes_of(one), "x");
}

TEST_F(ChunkRoutes, WhatIsMissingIsNamed) {
  const std::string id = begin(5000);
  put_all(id, some_bytes(5000), {1});
  const Answer answer = complete(id);
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "upload_incomplete");
  EXPECT_THAT(answer.body, HasSubstr("0, 2-4"));
}

TEST_F(ChunkRoutes, TheSameChunkAgainIsFineAndAnotherIsNot) {
  const std::string bytes = some_bytes(2500);
  const std::string id = begin(2500);
  put_all(id, bytes, {0, 1, 2, 1, 0, 2});
  std::string other = bytes.substr(1000, 1000);
  other.back() ^= 1;
  const Answer differs = put(id, 1, other);
  EXPECT_EQ(differs.status, 409);
  EXPECT_EQ(differs.code(), "chunk_differs");
  const Answer done = complete(id);
  ASSERT_EQ(done.status, 201);
  EXPECT_EQ(text_of(done.json().as_object(), "sha256"), sha256_hex(bytes));
  // Of a file, too.
  put_all(id, bytes, {2});
  EXPECT_EQ(put(id, 1, other).code(), "chunk_differs");
  EXPECT_EQ(bytes_of(id), bytes);
}

TEST_F(ChunkRoutes, AChunkIsNamedByContentRangeAsWell) {
  const std::string bytes = some_bytes(1500);
  const std::string id = begin(1500);
  auto ada = client("ada");
  const std::string target = "/upload/chunk/" + id;
  const auto put_range = [&](std::string range, std::string_view body) {
    return ada.send(Method::kPost, target, body, {{"Content-Range", std::move(range)}});
  };
  EXPECT_EQ(put_range("bytes 1000-1499/1500", bytes.substr(1000)).status, 200);
  EXPECT_EQ(put_range("bytes 0-999/*", bytes.substr(0, 1000)).status, 200);
  for (const char* wrong : {"bytes 0-998/1500", "bytes 1-1000/1500", "bytes 0-1499/1500", "bytes 1000-1499/1501",
                            "bytes 0-999", "nonsense", "bytes 2000-2999/*", "bytes 999-0/1500", ""}) {
    EXPECT_THAT(put_range(wrong, "x").faulty_paths(), ElementsAre("header.Content-Range")) << wrong;
  }
  EXPECT_THAT(ada.send(Method::kPost, target, "x").faulty_paths(), ElementsAre("query.index"));
  EXPECT_THAT(ada.send(Method::kPost, target + "?index=1", "x", {{"Content-Range", "bytes 0-999/1500"}}).faulty_paths(),
              ElementsAre("query.index"));
  EXPECT_EQ(ada.send(Method::kPost, target + "?index=0", bytes.substr(0, 1000), {{"Content-Range", "bytes 0-999/1500"}})
                .status,
            200);
  EXPECT_EQ(complete(id).status, 201);
  EXPECT_EQ(bytes_of(id), bytes);
}

TEST_F(ChunkRoutes, AChunkOfTheWrongLengthIsRefused) {
  const std::string id = begin(1500);
  EXPECT_EQ(put(id, 0, std::string(1001, 'x')).code(), "payload_too_large");
  EXPECT_EQ(put(id, 0, std::string(999, 'x')).status, 400);
  EXPECT_EQ(put(id, 1, std::string(1000, 'x')).code(), "payload_too_large");
  EXPECT_EQ(put(id, 2, "x").faulty_paths(), std::vector<std::string>{"query.index"});
  EXPECT_EQ(put(id, 0, "x", {{"Content-Encoding", "gzip"}}).code(), "unsupported_media_type");
  EXPECT_EQ(put(id, 0, "x", {{"Content-Type", "multipart/form-data; boundary=x"}}).code(), "unsupported_media_type");
  // Of a body without a length it is known when it has passed by.
  for (const std::size_t length : {999, 1001}) {
    auto sent = send(Method::kPost, "/upload/chunk/" + id + "?index=0");
    sent->body().push(std::string(500, 'x'));
    sent->body().push(std::string(length - 500, 'x'));
    sent->body().end();
    EXPECT_EQ(sent->answer().status, length < 1000 ? 400 : 413);
  }
  EXPECT_EQ(progress(id).at("received"), 0);
}

TEST_F(ChunkRoutes, ChecksumsOfAChunkAreHeldAgainstIt) {
  const std::string bytes = some_bytes(1500);
  const std::string id = begin(1500);
  const auto put_with = [&](std::string name, std::string value) {
    return put(id, 0, bytes.substr(0, 1000), {{std::move(name), std::move(value)}});
  };
  const std::string wrong = sha256_hex("wrong");
  EXPECT_EQ(put_with("X-Checksum-SHA256", wrong).code(), "checksum_mismatch");
  EXPECT_EQ(put_with("X-Checksum-SHA256", "12").status, 400);
  EXPECT_EQ(put_with("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==").code(), "checksum_mismatch");
  EXPECT_EQ(put_with("Digest", "sha-256=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").code(), "checksum_mismatch");
  EXPECT_EQ(put_with("Repr-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:").code(),
            "checksum_mismatch");
  EXPECT_EQ(put_with("Content-Digest", "md5=:AAAAAAAAAAAAAAAAAAAAAA==:").code(), "checksum_mismatch");
  EXPECT_EQ(put_with("Digest", "sha-256=!").faulty_paths(), std::vector<std::string>{"header.Digest"});
  EXPECT_EQ(progress(id).at("received"), 0);
  EXPECT_EQ(put_with("X-Checksum-SHA256", sha256_hex(bytes.substr(0, 1000))).status, 200);
  // Of one that is there already, too.
  EXPECT_EQ(put_with("X-Checksum-SHA256", wrong).code(), "checksum_mismatch");
  EXPECT_EQ(put_with("X-Checksum-SHA256", sha256_hex(bytes.substr(0, 1000))).status, 200);
  EXPECT_EQ(put(id, 1, bytes.substr(1000), {{"X-Checksum-SHA256", sha256_hex(bytes.substr(1000))}}).status, 200);
  const int opened = blobs_->opened;
  const Answer done = complete(id);
  ASSERT_EQ(done.status, 201) << done.body;
  EXPECT_EQ(blobs_->opened - opened, 1);  // in order, so nothing was read over
  EXPECT_EQ(text_of(done.json().as_object(), "sha256"), sha256_hex(bytes));
}

TEST_F(ChunkRoutes, AWholeThatIsNotWhatWasAnnouncedIsGone) {
  const std::string id = begin(10, "a", R"(,"sha256":")" + sha256_hex("other") + "\"");
  EXPECT_EQ(put(id, 0, "0123456789").status, 200);
  EXPECT_EQ(complete(id).code(), "checksum_mismatch");
  EXPECT_EQ(complete(id).code(), "checksum_mismatch");
  EXPECT_EQ(client("eve").send(Method::kPost, "/upload/complete/" + id, "").code(), "not_found");
  expect_nothing_left();
  EXPECT_EQ(announced_.size(), 0u);

  const std::string good = begin(10, "a", R"(,"sha256":")" + sha256_hex("0123456789") + "\"");
  EXPECT_EQ(put(good, 0, "0123456789").status, 200);
  EXPECT_EQ(complete(good).status, 201);
}

TEST_F(ChunkRoutes, NobodyElseFindsAnUpload) {
  const std::string id = begin(1000);
  for (auto other : {client("bob"), client("ada", "globex"), client("root", "acme", "admin")}) {
    EXPECT_EQ(other.send(Method::kPost, "/upload/chunk/" + id + "?index=0", std::string(1000, 'x')).status, 404);
    EXPECT_EQ(other.send(Method::kPost, "/upload/complete/" + id, "").status, 404);
    EXPECT_EQ(other.get("/upload/" + id + "/progress").status, 404);
    EXPECT_EQ(other.remove("/upload/" + id).status, 404);
  }
  auto ada = client("ada");
  for (const char* unknown : {"no-uuid", "0198c5a2-7f00-7000-8000-000000000001"}) {
    EXPECT_EQ(put(unknown, 0, "x").code(), "not_found");
    EXPECT_EQ(complete(unknown).code(), "not_found");
    EXPECT_EQ(ada.get(std::string("/upload/") + unknown + "/progress").code(), "not_found");
    EXPECT_EQ(ada.remove(std::string("/upload/") + unknown).code(), "not_found");
  }
}

TEST_F(ChunkRoutes, WhatIsTooLargeOrWrongIsRefusedAtTheStart) {
  auto ada = client("ada");
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":10000001})").code(), "payload_too_large");
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":-1})").faulty_paths(),
            std::vector<std::string>{"/size"});
  EXPECT_EQ(ada.post("/upload/chunk", R"({"size":1})").faulty_paths(), std::vector<std::string>{"/filename"});
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":1,"sha256":"xyz"})").faulty_paths(),
            std::vector<std::string>{"/sha256"});
  blobs_->is_full = true;
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":1000})").code(), "storage_full");
  expect_nothing_left();
}

TEST_F(ChunkRoutes, AnUploadThatExpiredIsGone) {
  const std::string id = begin(2000);
  clock_.advance(std::chrono::hours(23));
  EXPECT_EQ(put(id, 0, std::string(1000, 'x')).status, 200);  // puts it off
  clock_.advance(std::chrono::hours(23));
  EXPECT_EQ(progress(id).at("received"), 1000);
  clock_.advance(std::chrono::hours(1));
  EXPECT_EQ(put(id, 1, std::string(1000, 'x')).status, 410);
  EXPECT_EQ(complete(id).code(), "upload_expired");
  EXPECT_EQ(client("ada").get("/upload/" + id + "/progress").status, 410);
}

TEST_F(ChunkRoutes, AbortingFreesQuotaAndBytes) {
  const std::string id = begin(2000);
  EXPECT_EQ(put(id, 0, std::string(1000, 'x')).status, 200);
  EXPECT_EQ(client("ada").remove("/upload/" + id).status, 204);
  expect_nothing_left();
  EXPECT_EQ(client("ada").remove("/upload/" + id).status, 404);
  EXPECT_EQ(put(id, 0, std::string(1000, 'x')).status, 404);

  const std::string file = begin(1);
  EXPECT_EQ(put(file, 0, "x").status, 200);
  EXPECT_EQ(complete(file).status, 201);
  EXPECT_EQ(client("ada").remove("/upload/" + file).code(), "upload_complete");
  EXPECT_EQ(bytes_of(file), "x");
}

TEST_F(ChunkRoutes, ADiskThatFailsAtTheEndLosesNothing) {
  const std::string id = begin(10);
  EXPECT_EQ(put(id, 0, "0123456789").status, 200);
  blobs_->seals_fail = true;
  EXPECT_EQ(complete(id).status, 503);
  blobs_->seals_fail = false;
  EXPECT_EQ(complete(id).status, 201);
}

TEST_F(ChunkRoutes, WhatNeedsNoReadingDoesNotHoldUpWhatIsReadOver) {
  patience_is_none();
  const std::string unordered = begin(2000);
  EXPECT_EQ(put(unordered, 1, std::string(1000, 'b')).status, 200);
  EXPECT_EQ(put(unordered, 0, std::string(1000, 'a')).status, 200);
  blobs_->seals_stop = true;
  for (int i = 0; i < 3; ++i) {
    const std::string known = begin(1);
    EXPECT_EQ(put(known, 0, "x").status, 200);
    EXPECT_EQ(complete(known).status, 202);
  }
  while (blobs_->opened < 3) std::this_thread::yield();
  EXPECT_EQ(complete(unordered).status, 202);
  // Once to be read over, and once for its type.
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (blobs_->opened < 5 && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_EQ(blobs_->opened, 5);
  blobs_->seals_stop = false;
  while (usage().user.files < 4) std::this_thread::yield();
}

TEST_F(ChunkRoutes, OneUserWatchesAFewUploadsAtOnce) {
  const std::string id = begin(10);
  const TenantId acme("acme");
  while (uploads_->begin_watching(acme, UserId("ada")) && !HasFailure()) {
  }
  const auto watch = [&] {
    return client("ada").get("/upload/" + id + "/progress", {{"Accept", "text/event-stream"}});
  };
  EXPECT_EQ(watch().code(), "overloaded");
  EXPECT_EQ(progress(id).at("received"), 0) << "it can be asked for all the same";
  EXPECT_TRUE(uploads_->begin_watching(acme, UserId("bob")));
  EXPECT_TRUE(uploads_->begin_watching(TenantId("globex"), UserId("ada")));
  uploads_->stop_watching(acme, UserId("ada"));
  EXPECT_TRUE(uploads_->begin_watching(acme, UserId("ada")));
}

class ChunkQuota : public ChunkRoutes {
 protected:
  ChunkQuota() : ChunkRoutes({.per_user = 3000, .per_tenant = 5000, .uploads_per_user = 5}) {}
};

TEST_F(ChunkQuota, IsHeldAtTheStart) {
  begin(2000);
  auto ada = client("ada");
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":1001})").status, 507);
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":1001})").code(), "quota_exceeded");
  begin(1000);
  for (int i = 0; i < 3; ++i) begin(0);
  EXPECT_EQ(ada.post("/upload/chunk", R"({"filename":"a","size":0})").code(), "too_many_uploads");
}

}  // namespace
}  // namespace parley::media
