// tus 1.0.0 through its routes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/validators.h"
#include "media/sweeper.h"
#include "media/testing/media_fixture.h"

namespace parley::media {
namespace {

using http::Method;
using testing::Answer;
using testing::HeaderList;
using testing::some_bytes;

class TusRoutes : public testing::MediaFixture {
 protected:
  explicit TusRoutes(QuotaLimits quotas = {}) : MediaFixture(quotas) {}

  Answer tus(Method method, const std::string& target, HeaderList headers = {}, std::string_view body = "",
             const std::string& user = "ada", const std::string& tenant = "acme") {
    headers.emplace_back("Tus-Resumable", "1.0.0");
    if (!body.empty()) headers.emplace_back("Content-Type", "application/offset+octet-stream");
    return client(user, tenant).send(method, target, body, std::move(headers));
  }
  // Where the new upload is.
  std::string create(HeaderList headers) {
    const Answer answer = tus(Method::kPost, "/tus", std::move(headers));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return "/" + answer.header("Location");
  }
  std::string create(std::uint64_t size, HeaderList headers = {}) {
    headers.emplace_back("Upload-Length", std::to_string(size));
    return create(std::move(headers));
  }
  static std::string id_of(const std::string& place) { return place.substr(place.rfind('/') + 1); }
  Answer patch(const std::string& place, std::uint64_t offset, std::string_view bytes, HeaderList headers = {}) {
    headers.emplace_back("Upload-Offset", std::to_string(offset));
    if (bytes.empty()) headers.emplace_back("Content-Type", "application/offset+octet-stream");
    return tus(Method::kPatch, place, std::move(headers), bytes);
  }
  Answer head(const std::string& place) { return tus(Method::kHead, place); }
  std::unique_ptr<Sent> send_patch(const std::string& place, std::uint64_t offset, std::size_t loop = 0,
                                   HeaderList headers = {}) {
    headers.insert(headers.end(), {{"Tus-Resumable", "1.0.0"},
                                   {"Upload-Offset", std::to_string(offset)},
                                   {"Content-Type", "application/offset+octet-stream"}});
    return send(Method::kPatch, place, std::move(headers), {}, loop);
  }
  File file(const std::string& place) {
    auto found = loop_.run(store_->get_file(TenantId("acme"), FileId(id_of(place)), kNoHurry));
    EXPECT_TRUE(found);
    return found ? *found : File();
  }
};

TEST_F(TusRoutes, OptionsSayWhatThereIs) {
  const Answer answer = client("ada").send(Method::kOptions, "/tus", "");
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(answer.header("Tus-Version"), "1.0.0");
  EXPECT_EQ(answer.header("Tus-Max-Size"), "10000000");
  EXPECT_EQ(answer.header("Tus-Checksum-Algorithm"), "sha1,md5,sha256,sha512");
  EXPECT_THAT(answer.header("Tus-Extension"), ::testing::HasSubstr("creation-defer-length"));
}

TEST_F(TusRoutes, AnUploadInPiecesBecomesAFileWithItsLastByte) {
  const std::string bytes = some_bytes(300'000);
  const std::string metadata = "filename Y2F0LnBuZw==,x";
  const Answer created = tus(Method::kPost, "/tus", {{"Upload-Length", "300000"}, {"Upload-Metadata", metadata}});
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.header("Tus-Resumable"), "1.0.0");
  EXPECT_EQ(http::parse_http_date(created.header("Upload-Expires")),
            std::chrono::floor<std::chrono::seconds>(clock_.wall_now() + std::chrono::hours(24)));
  const std::string place = "/" + created.header("Location");

  Answer first = head(place);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("Upload-Offset"), "0");
  EXPECT_EQ(first.header("Upload-Length"), "300000");
  EXPECT_EQ(first.header("Upload-Metadata"), metadata);
  EXPECT_EQ(first.header("Cache-Control"), "no-store");
  EXPECT_EQ(first.header("Upload-Concat"), "");

  const Answer part = patch(place, 0, bytes.substr(0, 200'000));
  EXPECT_EQ(part.status, 204) << part.body;
  EXPECT_EQ(part.header("Upload-Offset"), "200000");
  EXPECT_EQ(head(place).header("Upload-Offset"), "200000");
  EXPECT_EQ(progress(id_of(place)).at("received"), 200'000);
  EXPECT_TRUE(progress(id_of(place)).at("chunks").is_null());

  EXPECT_EQ(patch(place, 200'000, bytes.substr(200'000)).header("Upload-Offset"), "300000");
  EXPECT_EQ(file(place).sha256, sha256(bytes));
  EXPECT_EQ(file(place).filename, "cat.png");
  EXPECT_EQ(bytes_of(id_of(place)), bytes);
  // And still says so to who asks again.
  EXPECT_EQ(head(place).header("Upload-Offset"), "300000");
  EXPECT_EQ(patch(place, 300'000, "").status, 204);
  EXPECT_EQ(patch(place, 300'000, "x").status, 413);
  EXPECT_EQ(patch(place, 0, "x").code(), "upload_offset_mismatch");
  EXPECT_EQ(tus(Method::kDelete, place).code(), "upload_complete");
}

TEST_F(TusRoutes, TheVersionMustBeOneThatThereIs) {
  const std::string place = create(10);
  for (HeaderList version : {HeaderList{}, HeaderList{{"Tus-Resumable", "0.2.2"}}}) {
    for (const auto& [method, target] : {std::pair(Method::kPost, std::string("/tus")),
                                         {Method::kPatch, place},
                                         {Method::kHead, place},
                                         {Method::kDelete, place}}) {
      const Answer answer = client("ada").send(method, target, "", version);
      EXPECT_EQ(answer.status, 412);
      EXPECT_EQ(answer.header("Tus-Version"), "1.0.0");
    }
  }
  EXPECT_EQ(head(place).status, 200);
}

TEST_F(TusRoutes, CreationIsHeldToItsRules) {
  const auto faulty = [this](HeaderList headers) {
    return tus(Method::kPost, "/tus", std::move(headers)).faulty_paths();
  };
  using Paths = std::vector<std::string>;
  EXPECT_EQ(faulty({}), Paths{"header.Upload-Length"});
  EXPECT_EQ(faulty({{"Upload-Length", "-1"}}), Paths{"header.Upload-Length"});
  EXPECT_EQ(faulty({{"Upload-Length", "x"}}), Paths{"header.Upload-Length"});
  EXPECT_EQ(faulty({{"Upload-Defer-Length", "2"}}), Paths{"header.Upload-Defer-Length"});
  EXPECT_EQ(faulty({{"Upload-Length", "1"}, {"Upload-Defer-Length", "1"}}), Paths{"header.Upload-Defer-Length"});
  EXPECT_EQ(faulty({{"Upload-Length", "1"}, {"Upload-Metadata", "a !"}}), Paths{"header.Upload-Metadata"});
  EXPECT_EQ(faulty({{"Upload-Length", "1"}, {"Upload-Concat", "whole"}}), Paths{"header.Upload-Concat"});
  EXPECT_EQ(tus(Method::kPost, "/tus", {{"Upload-Length", "10000001"}}).status, 413);
  EXPECT_EQ(client("ada").send(Method::kPost, "/tus", "x", {{"Tus-Resumable", "1.0.0"}, {"Upload-Length", "1"}}).status,
            415);
  expect_nothing_left();
}

TEST_F(TusRoutes, ACreationMayBringBytesAtOnce) {
  const Answer some = tus(Method::kPost, "/tus", {{"Upload-Length", "10"}}, "01234");
  ASSERT_EQ(some.status, 201) << some.body;
  EXPECT_EQ(some.header("Upload-Offset"), "5");
  EXPECT_EQ(patch("/" + some.header("Location"), 5, "56789").status, 204);
  const Answer all = tus(Method::kPost, "/tus", {{"Upload-Length", "3"}}, "abc");
  EXPECT_EQ(all.header("Upload-Offset"), "3");
  EXPECT_EQ(file(all.header("Location")).sha256, sha256("abc"));
  const std::uint64_t files = usage().user.files;
  EXPECT_EQ(tus(Method::kPost, "/tus", {{"Upload-Length", "3"}}, "abcd").status, 413);
  EXPECT_EQ(
      tus(Method::kPost, "/tus", {{"Upload-Length", "3"}, {"Upload-Checksum", "md5 AAAAAAAAAAAAAAAAAAAAAA=="}}, "abc")
          .status,
      460);
  auto cut =
      send(Method::kPost, "/tus",
           {{"Tus-Resumable", "1.0.0"}, {"Upload-Length", "10"}, {"Content-Type", "application/offset+octet-stream"}});
  cut->body().push("01234");
  cut->body().cut();
  EXPECT_EQ(cut->answer().status, 400);
  EXPECT_EQ(blobs().size(), files);
  EXPECT_EQ(usage().user.reserved, 0u);
}

TEST_F(TusRoutes, NoByteIsAFileAtOnce) {
  EXPECT_EQ(file(create(0)).size, 0u);
  const std::string deferred = create(HeaderList{{"Upload-Defer-Length", "1"}});
  EXPECT_EQ(patch(deferred, 0, "", {{"Upload-Length", "0"}}).status, 204);
  EXPECT_EQ(file(deferred).size, 0u);
}

TEST_F(TusRoutes, TheLengthMayBeSaidLater) {
  const std::string place = create(HeaderList{{"Upload-Defer-Length", "1"}});
  EXPECT_EQ(head(place).header("Upload-Defer-Length"), "1");
  EXPECT_EQ(head(place).header("Upload-Length"), "");
  EXPECT_EQ(patch(place, 0, "01234").status, 204);
  EXPECT_EQ(patch(place, 5, "5", {{"Upload-Length", "4"}}).faulty_paths(),
            std::vector<std::string>{"header.Upload-Length"});
  EXPECT_EQ(patch(place, 5, "5", {{"Upload-Length", "10000001"}}).status, 413);
  EXPECT_EQ(patch(place, 5, "567", {{"Upload-Length", "10"}}).status, 204);
  EXPECT_EQ(head(place).header("Upload-Length"), "10");
  EXPECT_EQ(head(place).header("Upload-Defer-Length"), "");
  EXPECT_EQ(patch(place, 8, "89", {{"Upload-Length", "11"}}).code(), "upload_size_known");
  EXPECT_EQ(patch(place, 8, "89", {{"Upload-Length", "10"}}).status, 204);
  EXPECT_EQ(file(place).sha256, sha256("0123456789"));
  EXPECT_EQ(usage().user.stored, 10u);
  EXPECT_EQ(usage().user.reserved, 0u);
}

TEST_F(TusRoutes, APatchIsHeldToItsRules) {
  const std::string place = create(10);
  EXPECT_EQ(patch(place, 1, "x").code(), "upload_offset_mismatch");
  EXPECT_EQ(tus(Method::kPatch, place, {}, "x").faulty_paths(), std::vector<std::string>{"header.Upload-Offset"});
  EXPECT_EQ(client("ada")
                .send(Method::kPatch, place, "x",
                      {{"Tus-Resumable", "1.0.0"}, {"Upload-Offset", "0"}, {"Content-Type", "application/json"}})
                .status,
            415);
  EXPECT_EQ(patch(place, 0, "0123456789x").status, 413);
  auto unknown = send_patch(place, 0);
  unknown->body().push("0123456789x");
  unknown->body().end();
  EXPECT_EQ(unknown->answer().status, 413);
  EXPECT_EQ(head(place).header("Upload-Offset"), "0");
  EXPECT_EQ(patch("/tus/no-uuid", 0, "x").status, 404);
}

TEST_F(TusRoutes, ChecksumsKeepNothingOfWhatIsWrong) {
  const std::string place = create(6);
  const auto with = [](const char* checksum) { return HeaderList{{"Upload-Checksum", checksum}}; };
  const Answer wrong = patch(place, 0, "abd", with("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="));
  EXPECT_EQ(wrong.status, 460) << wrong.body;
  EXPECT_EQ(wrong.code(), "checksum_mismatch");
  EXPECT_EQ(wrong.header("Tus-Resumable"), "1.0.0");
  EXPECT_EQ(head(place).header("Upload-Offset"), "0");
  EXPECT_EQ(patch(place, 0, "abc", with("crc32 AAAA")).faulty_paths(),
            std::vector<std::string>{"header.Upload-Checksum"});
  EXPECT_EQ(patch(place, 0, "abc", with("sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=")).status, 204);
  EXPECT_EQ(patch(place, 3, "def", with("md5 kAFQmDzST7DWlj99KOF/cg==")).status, 460);
  EXPECT_EQ(patch(place, 3, "abc", with("md5 kAFQmDzST7DWlj99KOF/cg==")).status, 204);
  EXPECT_EQ(file(place).sha256, sha256("abcabc"));
}

TEST_F(TusRoutes, WhatCameBeforeTheConnectionWasLostCounts) {
  const std::string place = create(10);
  auto dead = send_patch(place, 0);
  dead->body().push("0123");
  wait_until_received(id_of(place), 4);
  // HEAD takes over from it, though the server does not know that it is dead.
  EXPECT_EQ(head(place).header("Upload-Offset"), "4");
  EXPECT_EQ(dead->answer().code(), "upload_taken_over");
  EXPECT_EQ(dead->answer().header("Tus-Resumable"), "1.0.0");
  restart();
  auto also_dead = send_patch(place, 4, 1);
  also_dead->body().push("45");
  wait_until_received(id_of(place), 6);
  auto third = send_patch(place, 6, 0);
  EXPECT_EQ(also_dead->answer().code(), "upload_taken_over");
  third->body().push("6789");
  third->body().end();
  EXPECT_EQ(third->answer().status, 204) << third->answer().body;
  EXPECT_EQ(file(place).sha256, sha256("0123456789"));
}

TEST_F(TusRoutes, APatchThatTakesOverGoesOnWhereTheOlderOneEnded) {
  const std::string place = create(10);
  auto dead = send_patch(place, 0);
  dead->body().push("0123");
  wait_until_received(id_of(place), 4);
  const Answer behind = patch(place, 0, "0");
  EXPECT_EQ(behind.code(), "upload_offset_mismatch");
  EXPECT_EQ(dead->answer().code(), "upload_taken_over");
}

TEST_F(TusRoutes, WithAChecksumNothingOfACutRequestCounts) {
  const std::string place = create(10);
  auto dead = send_patch(place, 0, 0, {{"Upload-Checksum", "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}});
  dead->body().push("0123");
  wait_until_received(id_of(place), 4);
  EXPECT_EQ(head(place).header("Upload-Offset"), "0");
}

TEST_F(TusRoutes, TerminationFreesEverything) {
  const std::string place = create(10);
  auto under_way = send_patch(place, 0);
  under_way->body().push("0123");
  wait_until_received(id_of(place), 4);
  const Answer gone = tus(Method::kDelete, place);
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.header("Tus-Resumable"), "1.0.0");
  EXPECT_EQ(under_way->answer().status, 404);
  EXPECT_EQ(head(place).status, 404);
  expect_nothing_left();
}

TEST_F(TusRoutes, AnExpiredUploadIsGone) {
  const std::string place = create(10);
  clock_.advance(std::chrono::hours(24));
  EXPECT_EQ(head(place).status, 410);
  EXPECT_EQ(patch(place, 0, "x").status, 410);
}

TEST_F(TusRoutes, NobodyElseFindsAnUpload) {
  const std::string place = create(10);
  const std::string chunked = "/tus/" + begin(10);
  for (const auto& [user, tenant] : {std::pair("bob", "acme"), {"ada", "globex"}}) {
    EXPECT_EQ(tus(Method::kHead, place, {}, "", user, tenant).status, 404);
    EXPECT_EQ(tus(Method::kPatch, place, {{"Upload-Offset", "0"}}, "x", user, tenant).status, 404);
    EXPECT_EQ(tus(Method::kDelete, place, {}, "", user, tenant).status, 404);
    EXPECT_EQ(tus(Method::kPost, "/tus", {{"Upload-Concat", "final;" + place}}, "", user, tenant).status, 400);
  }
  EXPECT_EQ(head(chunked).status, 404);
  EXPECT_EQ(put(id_of(place), 0, "x").status, 404);
}

TEST_F(TusRoutes, TheMethodMayStandInAField) {
  const std::string place = create(10);
  const auto override_with = [&](const char* method, HeaderList headers, std::string_view body = "") {
    headers.emplace_back("X-HTTP-Method-Override", method);
    return tus(Method::kPost, place, std::move(headers), body);
  };
  EXPECT_EQ(override_with("PATCH", {{"Upload-Offset", "0"}}, "0123").header("Upload-Offset"), "4");
  EXPECT_EQ(override_with("HEAD", {}).header("Upload-Offset"), "4");
  EXPECT_EQ(override_with("PUT", {}).status, 400);
  EXPECT_EQ(tus(Method::kPost, place).status, 400);
  EXPECT_EQ(override_with("DELETE", {}).status, 204);
}

TEST_F(TusRoutes, PartialUploadsAreConcatenated) {
  const std::string first = create(5, {{"Upload-Concat", "partial"}});
  const std::string second = create(HeaderList{{"Upload-Concat", "partial"}, {"Upload-Defer-Length", "1"}});
  EXPECT_EQ(patch(second, 0, "56789").status, 204);
  const auto concat = [&](const std::string& list, HeaderList more = {}) {
    more.emplace_back("Upload-Concat", "final;" + list);
    return tus(Method::kPost, "/tus", std::move(more));
  };
  const std::string both = "http://host" + first + " " + second;
  EXPECT_EQ(concat(both).code(), "upload_incomplete");
  EXPECT_EQ(patch(first, 0, "01234").status, 204);
  EXPECT_EQ(concat(both).code(), "upload_incomplete");  // of unknown length
  EXPECT_EQ(patch(second, 5, "", {{"Upload-Length", "5"}}).status, 204);
  EXPECT_EQ(usage().user.files, 0u);
  EXPECT_EQ(head(first).header("Upload-Concat"), "partial");
  EXPECT_EQ(client("ada").send(Method::kPost, "/upload/complete/" + id_of(first), "").status, 404);

  EXPECT_EQ(concat("").status, 400);
  EXPECT_EQ(concat("/tus/no-uuid").status, 400);
  EXPECT_EQ(concat("/tus/" + begin(1)).status, 400);
  EXPECT_EQ(concat(both, {{"Upload-Length", "10"}}).status, 400);

  const Answer whole = concat(both, {{"Upload-Metadata", "filename YQ=="}});
  ASSERT_EQ(whole.status, 201) << whole.body;
  const std::string place = "/" + whole.header("Location");
  EXPECT_EQ(file(place).sha256, sha256("0123456789"));
  EXPECT_EQ(file(place).filename, "a");
  const Answer state = head(place);
  EXPECT_EQ(state.header("Upload-Concat"), "final;" + both);
  EXPECT_EQ(state.header("Upload-Offset"), "10");
  EXPECT_EQ(state.header("Upload-Metadata"), "filename YQ==");
  EXPECT_EQ(patch(place, 10, "").status, 403);
  // The parts became the whole.
  EXPECT_EQ(head(first).status, 404);
  EXPECT_EQ(usage().user.stored, 10u);
  EXPECT_EQ(usage().user.reserved, 1u);  // of the upload in chunks
  EXPECT_EQ(blobs().size(), 2u);
}

TEST_F(TusRoutes, APartMayStandTwiceInTheWhole) {
  const std::string part = create(3, {{"Upload-Concat", "partial"}});
  EXPECT_EQ(patch(part, 0, "abc").status, 204);
  const Answer whole = tus(Method::kPost, "/tus", {{"Upload-Concat", "final;" + part + " " + part}});
  ASSERT_EQ(whole.status, 201) << whole.body;
  EXPECT_EQ(file(whole.header("Location")).sha256, sha256("abcabc"));
  EXPECT_EQ(usage().user.stored, 6u);
}

TEST_F(TusRoutes, ALengthThatIsSaidLaterMayBeLessThanWhatCameInVain) {
  const std::string place = create(HeaderList{{"Upload-Defer-Length", "1"}});
  EXPECT_EQ(patch(place, 0, "0123456789", {{"Upload-Checksum", "md5 AAAAAAAAAAAAAAAAAAAAAA=="}}).status, 460);
  EXPECT_EQ(patch(place, 0, "abcde", {{"Upload-Length", "5"}}).status, 204);
  EXPECT_EQ(head(place).header("Upload-Offset"), "5");
  EXPECT_EQ(file(place).sha256, sha256("abcde"));
  EXPECT_EQ(bytes_of(id_of(place)), "abcde");
}

// So that a server which goes down waits for one of them at most.
TEST_F(TusRoutes, LongPartsAreCopiedInSteps) {
  const std::string bytes = some_bytes(350'001);
  const std::string part = create(bytes.size(), {{"Upload-Concat", "partial"}});
  EXPECT_EQ(patch(part, 0, bytes).status, 204);
  const Answer whole = tus(Method::kPost, "/tus", {{"Upload-Concat", "final;" + part + " " + part}});
  ASSERT_EQ(whole.status, 201) << whole.body;
  EXPECT_EQ(file(whole.header("Location")).sha256, sha256(bytes + bytes));
  EXPECT_EQ(blobs_->longest_copy, 100'000u);
}

TEST_F(TusRoutes, WhoAsksWhereAnUploadStandsDoesNotWaitForItsEnd) {
  const std::string place = create(3);
  blobs_->seals_fail = true;
  EXPECT_EQ(patch(place, 0, "abc").status, 503);
  blobs_->seals_fail = false;
  blobs_->reads_stop = true;
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(head(place).header("Upload-Offset"), "3");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
  blobs_->reads_stop = false;
  while (usage().user.files == 0) std::this_thread::yield();
  EXPECT_EQ(file(place).sha256, sha256("abc"));
}

class TusWithoutPatience : public TusRoutes {
 protected:
  TusWithoutPatience() { patience_is_none(); }
  // What is finished meanwhile is answered for, and then fails.
  void fail_to_finish(const std::function<void()>& bring) {
    blobs_->reads_stop = true;
    bring();
    blobs_->seals_fail = true;
    blobs_->reads_stop = false;
    while (uploads_->verifying() > 0) std::this_thread::yield();
    EXPECT_EQ(usage().user.files, 0u);
    blobs_->seals_fail = false;
  }
};

TEST_F(TusWithoutPatience, AConcatenationThatIsCutByARestartGoesOnWhenAskedFor) {
  const std::string part = create(3, {{"Upload-Concat", "partial"}});
  EXPECT_EQ(patch(part, 0, "abc").status, 204);
  blobs_->reads_stop = true;
  const Answer whole = tus(Method::kPost, "/tus", {{"Upload-Concat", "final;" + part}});
  ASSERT_EQ(whole.status, 201) << whole.body;
  const std::string place = "/" + whole.header("Location");
  EXPECT_EQ(usage().user.files, 0u);
  blobs_->reads_stop = false;
  restart();
  while (head(place).header("Upload-Offset") != "3") std::this_thread::yield();
  EXPECT_EQ(file(place).sha256, sha256("abc"));
}

TEST_F(TusWithoutPatience, ALastByteIsAcknowledgedBeforeTheWholeIsReadOver) {
  const std::string place = create(6);
  EXPECT_EQ(patch(place, 0, "abc").status, 204);
  restart();  // which forgets the digest
  blobs_->reads_stop = true;
  EXPECT_EQ(patch(place, 3, "def").status, 204);
  EXPECT_EQ(usage().user.files, 0u);
  blobs_->reads_stop = false;
  while (usage().user.files == 0) std::this_thread::yield();
  EXPECT_EQ(file(place).sha256, sha256("abcdef"));
}

TEST_F(TusWithoutPatience, WhatWasAcknowledgedBecomesAFileThoughItsFinishingFailedAndNobodyAsksAgain) {
  const std::string place = create(3);
  const std::string part = create(3, {{"Upload-Concat", "partial"}});
  EXPECT_EQ(patch(part, 0, "def").status, 204);
  Answer whole;
  fail_to_finish([&] {
    EXPECT_EQ(patch(place, 0, "abc").status, 204);
    whole = tus(Method::kPost, "/tus", {{"Upload-Concat", "final;" + part}});
    EXPECT_EQ(whole.status, 201) << whole.body;
  });
  clock_.advance(std::chrono::hours(30));
  restart();
  Sweeper sweeper(loop_.loop(), *store_, *blobs_, clock_, random_, metrics_, {});
  sweeper.on_whole = [this](Upload upload) { uploads_->take_up(std::move(upload)); };
  EXPECT_TRUE(loop_.run(sweeper.sweep()));
  while (usage().user.files < 2 && !HasFailure()) std::this_thread::yield();
  EXPECT_EQ(file(place).sha256, sha256("abc"));
  EXPECT_EQ(file(whole.header("Location")).sha256, sha256("def"));
}

TEST_F(TusWithoutPatience, CompletingFinishesAConcatenation) {
  const std::string part = create(3, {{"Upload-Concat", "partial"}});
  EXPECT_EQ(patch(part, 0, "abc").status, 204);
  Answer whole;
  fail_to_finish([&] { whole = tus(Method::kPost, "/tus", {{"Upload-Concat", "final;" + part}}); });
  ASSERT_EQ(whole.status, 201) << whole.body;
  const std::string id = id_of(whole.header("Location"));
  Answer completed = complete(id);
  while (completed.status == 202) completed = complete(id);
  EXPECT_THAT(completed.status, ::testing::AnyOf(200, 201)) << completed.body;
  EXPECT_EQ(file(id).sha256, sha256("abc"));
}

class TusQuota : public TusRoutes {
 protected:
  TusQuota() : TusRoutes({.per_user = 1000, .per_tenant = 2000}) {}
};

TEST_F(TusQuota, HoldsWhereTheLengthIsNotKnown) {
  EXPECT_EQ(tus(Method::kPost, "/tus", {{"Upload-Length", "1001"}}).code(), "quota_exceeded");
  const std::string place = create(HeaderList{{"Upload-Defer-Length", "1"}});
  EXPECT_EQ(patch(place, 0, std::string(600, 'x')).status, 204);
  EXPECT_EQ(patch(place, 600, std::string(401, 'x')).code(), "quota_exceeded");
  EXPECT_EQ(patch(place, 600, std::string(400, 'x'), {{"Upload-Length", "1000"}}).status, 204);
  EXPECT_EQ(usage().user.stored, 1000u);
}

TEST_F(TusQuota, HoldsForAPartThatStandsInTheWholeManyTimes) {
  const std::string part = create(300, {{"Upload-Concat", "partial"}});
  EXPECT_EQ(patch(part, 0, std::string(300, 'x')).status, 204);
  const auto concat = [&](int times) {
    std::string list = "final;";
    for (int i = 0; i < times; ++i) list += part + " ";
    return tus(Method::kPost, "/tus", {{"Upload-Concat", list}});
  };
  EXPECT_EQ(concat(4).code(), "quota_exceeded");
  EXPECT_EQ(blobs().size(), 1u) << "nothing was begun";
  EXPECT_EQ(blobs_->longest_copy, 0u);
  EXPECT_EQ(concat(3).status, 201);
  EXPECT_EQ(usage().user.stored, 900u);
  EXPECT_EQ(usage().user.reserved, 0u);
}

}  // namespace
}  // namespace parley::media
