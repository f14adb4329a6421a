// POST /upload: forms and bodies as they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/testing/media_fixture.h"

namespace parley::media {
namespace {

namespace json = boost::json;
using http::Method;
using testing::Answer;
using testing::HeaderList;
using testing::sha256_hex;
using testing::some_bytes;
using testing::text_of;

const std::string kFormType = "multipart/form-data; boundary=XX";

std::string part(const std::string& disposition, const std::string& bytes, const std::string& more = "") {
  return "--XX\r\nContent-Disposition: form-data; " + disposition + "\r\n" + more + "\r\n" + bytes + "\r\n";
}
std::string file_part(const std::string& name, const std::string& bytes, const std::string& more = "") {
  return part("name=\"file\"; filename=\"" + name + "\"", bytes, more);
}

class WholeUpload : public testing::MediaFixture {
 protected:
  explicit WholeUpload(QuotaLimits quotas = {}) : MediaFixture(quotas) {}
  Answer raw(std::string_view bytes, HeaderList headers = {}, const std::string& query = "") {
    return client("ada").send(Method::kPost, "/upload" + query, bytes, std::move(headers));
  }
  Answer form(const std::string& parts, HeaderList headers = {}) {
    headers.emplace_back("Content-Type", kFormType);
    return client("ada").send(Method::kPost, "/upload", parts + "--XX--\r\n", std::move(headers));
  }
};

TEST_F(WholeUpload, ABodyAsItIsBecomesAFile) {
  const std::string bytes = "\x89PNG\r\n\x1a\n" + some_bytes(300'000);
  const Answer answer = raw(bytes, {{"Content-Type", "text/html"}}, "?filename=a%2Fcat.png");
  ASSERT_EQ(answer.status, 201) << answer.body;
  const json::object file = answer.json().as_object();
  const std::string id = text_of(file, "id");
  EXPECT_EQ(answer.header("Location"), "files/" + id);
  EXPECT_EQ(text_of(file, "filename"), "cat.png");
  EXPECT_NE(text_of(file, "content_type"), "text/html");
  EXPECT_EQ(text_of(file, "sha256"), sha256_hex(bytes));
  EXPECT_EQ(text_of(file, "owner_id"), "ada");
  EXPECT_EQ(bytes_of(id), bytes);
  EXPECT_EQ(usage().user.stored, bytes.size());
  EXPECT_EQ(usage().user.reserved, 0u);
  EXPECT_EQ(announced_.size(), 1u);
}

TEST_F(WholeUpload, TheNameComesFromTheQueryOrTheDisposition) {
  const auto name_of = [](const Answer& answer) { return text_of(answer.json().as_object(), "filename"); };
  EXPECT_EQ(name_of(raw("x")), "file");
  EXPECT_EQ(name_of(raw("x", {{"Content-Disposition", "attachment; filename=\"b.txt\""}})), "b.txt");
  EXPECT_EQ(name_of(raw("x", {{"Content-Disposition", "attachment; filename*=UTF-8''%F0%9F%90%88.png"}})), "🐈.png");
  EXPECT_EQ(name_of(raw("x", {{"Content-Disposition", "attachment; filename=\"b.txt\""}}, "?filename=c.txt")), "c.txt");
  EXPECT_EQ(name_of(raw("x", {}, "?filename=..%2F..%2Fetc%2Fpasswd")), "passwd");
  EXPECT_EQ(name_of(raw("x", {}, "?filename=a%0D%0Ab%22.txt")), "a  b\".txt");
  EXPECT_EQ(raw("x", {}, "?filename=").status, 400);
  EXPECT_EQ(raw("x", {}, "?name=a").faulty_paths(), std::vector<std::string>{"query.name"});
}

TEST_F(WholeUpload, NoByteAndOneByte) {
  const Answer none = raw("");
  ASSERT_EQ(none.status, 201) << none.body;
  EXPECT_EQ(text_of(none.json().as_object(), "sha256"), sha256_hex(""));
  const Answer one = raw("x");
  EXPECT_EQ(bytes_of(text_of(one.json().as_object(), "id")), "x");
  const Answer empty = form(file_part("a", ""));
  ASSERT_EQ(empty.status, 201) << empty.body;
  EXPECT_EQ(empty.json().at("size"), 0);
}

TEST_F(WholeUpload, ABodyOfUnknownLengthBecomesAFile) {
  const std::string bytes = some_bytes(500'000);
  auto sent = send(Method::kPost, "/upload?filename=a");
  for (std::size_t at = 0; at < bytes.size(); at += 50'000) sent->body().push(bytes.substr(at, 50'000));
  sent->body().end();
  ASSERT_EQ(sent->answer().status, 201) << sent->answer().body;
  EXPECT_EQ(bytes_of(text_of(sent->answer().json().as_object(), "id")), bytes);
  EXPECT_EQ(usage().user.stored, 500'000u);
  EXPECT_EQ(usage().user.reserved, 0u);
}

TEST_F(WholeUpload, AFormOfOneFileAnswersTheFileAndOfSeveralTheFiles) {
  const std::string bytes = some_bytes(200'000);
  const Answer one = form(part("name=\"comment\"", "hello") + file_part("a.bin", bytes) + part("name=\"x\"", "y"));
  ASSERT_EQ(one.status, 201) << one.body;
  EXPECT_EQ(bytes_of(text_of(one.json().as_object(), "id")), bytes);

  const Answer two = form(file_part("a.txt", "first") + part("name=\"n\"; filename=\"\"", "") +
                          file_part("b.txt", "second", "Content-Type: text/csv\r\n"));
  ASSERT_EQ(two.status, 201) << two.body;
  const json::value list = two.json();
  const auto& files = list.at("files").as_array();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(text_of(files[0].as_object(), "filename"), "a.txt");
  EXPECT_EQ(bytes_of(text_of(files[1].as_object(), "id")), "second");
  EXPECT_EQ(text_of(files[1].as_object(), "content_type"), "text/csv");
  EXPECT_EQ(two.header("Location"), "");
}

TEST_F(WholeUpload, AFormThatIsNoneIsRefusedAndLeavesNothing) {
  EXPECT_EQ(form(part("name=\"a\"", "x")).code(), "invalid_multipart");
  EXPECT_EQ(form("").code(), "invalid_multipart");
  EXPECT_EQ(raw("x", {{"Content-Type", "multipart/form-data"}}).code(), "invalid_multipart");
  EXPECT_EQ(raw(file_part("a", "x"), {{"Content-Type", kFormType}}).code(), "invalid_multipart");
  EXPECT_EQ(raw(file_part("a", "x") + "--XX", {{"Content-Type", kFormType}}).code(), "invalid_multipart");
  EXPECT_EQ(raw("x", {{"Content-Encoding", "gzip"}}).code(), "unsupported_media_type");
  expect_nothing_left();
}

TEST_F(WholeUpload, AllFilesOfAFormAreStoredOrNone) {
  const std::string md5_of_other = "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  EXPECT_EQ(form(file_part("a", "first") + file_part("b", "second", md5_of_other)).code(), "checksum_mismatch");
  EXPECT_EQ(form(file_part("a", "first") + file_part("b", "x", "Digest: sha-256=!\r\n")).status, 400);
  EXPECT_EQ(form(file_part("a", "first") + file_part("b", std::string(kMaxFile + 1, 'x'))).status, 413);
  blobs_->seals_fail = true;
  EXPECT_EQ(form(file_part("a", "first") + file_part("b", "second")).status, 503);
  blobs_->seals_fail = false;
  expect_nothing_left();
  EXPECT_EQ(announced_.size(), 0u);
}

TEST_F(WholeUpload, ChecksumsAreHeldAgainstTheFile) {
  const std::string right = sha256_hex("abc");
  EXPECT_EQ(raw("abc", {{"X-Checksum-SHA256", right}}).status, 201);
  EXPECT_EQ(raw("abc", {{"Content-MD5", "kAFQmDzST7DWlj99KOF/cg=="}}).status, 201);
  EXPECT_EQ(form(file_part("a", "abc"), {{"X-Checksum-SHA256", right}}).status, 201);
  EXPECT_EQ(form(file_part("a", "abc", "X-Checksum-SHA256: " + right + "\r\n")).status, 201);
  const auto files = usage().user.files;
  const std::string wrong = sha256_hex("abd");
  EXPECT_EQ(raw("abc", {{"X-Checksum-SHA256", wrong}}).code(), "checksum_mismatch");
  EXPECT_EQ(raw("abc", {{"Digest", "md5=AAAAAAAAAAAAAAAAAAAAAA=="}}).code(), "checksum_mismatch");
  EXPECT_EQ(raw("abc", {{"Repr-Digest", "sha-512=:AAAA:"}}).status, 400);
  EXPECT_EQ(form(file_part("a", "abc"), {{"X-Checksum-SHA256", wrong}}).code(), "checksum_mismatch");
  EXPECT_EQ(form(file_part("a", "abc") + file_part("b", "abc"), {{"X-Checksum-SHA256", right}}).faulty_paths(),
            std::vector<std::string>{"header.X-Checksum-SHA256"});
  for (const char* of_the_form : {"Content-MD5", "Digest", "Repr-Digest", "Content-Digest"}) {
    EXPECT_EQ(form(file_part("a", "abc"), {{of_the_form, "kAFQmDzST7DWlj99KOF/cg=="}}).faulty_paths(),
              std::vector<std::string>{std::string("header.") + of_the_form});
  }
  EXPECT_EQ(usage().user.files, files);
  EXPECT_EQ(blobs().size(), files);
  EXPECT_EQ(usage().user.reserved, 0u);
}

TEST_F(WholeUpload, WhatIsTooLargeIsRefusedAsSoonAsThatIsKnown) {
  auto sent = send(Method::kPost, "/upload", {}, kMaxFile + 1);
  EXPECT_EQ(sent->answer().code(), "payload_too_large");  // before a byte of it has come
  auto huge_form = send(Method::kPost, "/upload", {{"Content-Type", kFormType}}, 110 * kMaxFile);
  EXPECT_EQ(huge_form->answer().code(), "payload_too_large");
  auto unknown = send(Method::kPost, "/upload");
  for (int i = 0; i < 10; ++i) unknown->body().push(std::string(kMaxFile / 10, 'x'));
  unknown->body().push("y");
  EXPECT_EQ(unknown->answer().code(), "payload_too_large");
  expect_nothing_left();
}

TEST_F(WholeUpload, AClientThatGoesAwayLeavesNothing) {
  auto first = send(Method::kPost, "/upload", {}, 1000);
  first->body().push("half");
  first->body().cut();
  EXPECT_EQ(first->answer().status, 400);
  auto second = send(Method::kPost, "/upload", {{"Content-Type", kFormType}});
  second->body().push(file_part("a", "whole") + file_part("b", "half"));
  second->body().cut();
  EXPECT_EQ(second->answer().status, 400);
  auto third = send(Method::kPost, "/upload", {}, 1000);
  third->body().push("short");
  third->body().end();
  EXPECT_EQ(third->answer().status, 400);
  expect_nothing_left();
}

TEST_F(WholeUpload, TheFirstFilesOfAFormDoNotExpireWhileTheLastOneComes) {
  auto sent = send(Method::kPost, "/upload", {{"Content-Type", kFormType}});
  sent->body().push(file_part("a", "whole") + file_part("b", "begun"));
  sent->body().push("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c\"\r\n\r\nmore");
  sent->body().push(std::string(150'000, 'x'));
  const auto longest = [this] {
    std::uint64_t bytes = 0;
    for (const StoredBlob& blob : blobs()) bytes = std::max(bytes, blob.size);
    return bytes;
  };
  while (longest() < 100'000) std::this_thread::yield();  // so the last one is being written
  clock_.advance(std::chrono::hours(20));
  clock_.advance_steady(kCheckpointPause);
  const auto soonest = [this] {
    WallTime expiry = WallTime::max();
    for (const StoredBlob& blob : blobs()) expiry = std::min(expiry, stored_upload(blob.id.value).expires_at);
    return expiry;
  };
  const WallTime in_a_day = clock_.wall_now() + std::chrono::hours(24);
  sent->body().push(std::string(250'000, 'x'));
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (soonest() < in_a_day && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_EQ(soonest(), in_a_day);
  sent->body().push("\r\n--XX--\r\n");
  sent->body().end();
  EXPECT_EQ(sent->answer().status, 201) << sent->answer().body;
}

TEST_F(WholeUpload, NobodyFindsOneUnderWay) {
  auto sent = send(Method::kPost, "/upload", {}, 1000);
  sent->body().push("half");
  while (blobs().empty()) std::this_thread::yield();
  const std::string id = blobs().front().id.value;
  EXPECT_EQ(client("ada").get("/upload/" + id + "/progress").status, 404);
  EXPECT_EQ(client("ada").remove("/upload/" + id).status, 404);
  EXPECT_EQ(complete(id).status, 404);
}

TEST_F(WholeUpload, AFullDiskIs507AndLeavesNothing) {
  blobs_->is_full = true;
  EXPECT_EQ(raw("x").status, 507);
  EXPECT_EQ(form(file_part("a", "x")).code(), "storage_full");
  expect_nothing_left();
  blobs_->is_full = false;
  EXPECT_EQ(raw("x").status, 201);
}

Task<bool> discarded(UploadEngine& uploads, Upload upload) {
  co_await uploads.discard(std::move(upload));
  co_return true;
}

// Failed at first: the store had answered too late that the file is made, and its bytes were removed.
TEST_F(WholeUpload, GivingUpWhatIsAFileMeanwhileTakesNoByteOfIt) {
  const Answer made = raw("the bytes");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string id = text_of(made.json().as_object(), "id");
  EXPECT_TRUE(loop_.run(discarded(*uploads_, stored_upload(id))));
  EXPECT_EQ(bytes_of(id), "the bytes");
}

Task<bool> discard(UploadEngine& uploads, Upload upload) {
  co_await uploads.discard(std::move(upload));
  co_return true;
}

TEST_F(WholeUpload, OneThatBecameAFileUnheardIsDeletedAndNotTornFromItsBytes) {
  const Answer answer = raw("bytes");
  const std::string id = text_of(answer.json().as_object(), "id");
  loop_.run(discard(*uploads_, stored_upload(id)));
  EXPECT_EQ(client("ada").get("/files/" + id).status, 404);
  EXPECT_EQ(usage().user.stored, 0u);
  EXPECT_EQ(bytes_of(id), "bytes");  // until the sweeper comes
  const auto report = loop_.run(store_->check(kNoHurry));
  EXPECT_THAT(report->problems, ::testing::IsEmpty());
}

class WholeUploadQuota : public WholeUpload {
 protected:
  WholeUploadQuota() : WholeUpload({.per_user = 100'000, .per_tenant = 150'000}) {}
};

TEST_F(WholeUploadQuota, IsExactWithAndWithoutALength) {
  EXPECT_EQ(raw(std::string(60'000, 'x')).status, 201);
  EXPECT_EQ(raw(std::string(40'001, 'x')).code(), "quota_exceeded");
  EXPECT_EQ(form(file_part("a", std::string(40'001, 'x'))).code(), "quota_exceeded");
  EXPECT_EQ(usage().user.reserved, 0u);
  EXPECT_EQ(form(file_part("a", std::string(40'000, 'x'))).status, 201);
  EXPECT_EQ(usage().user.stored, 100'000u);
  EXPECT_EQ(raw("x").code(), "quota_exceeded");
  EXPECT_EQ(raw("").status, 201);
}

TEST_F(WholeUploadQuota, HoldsHoweverManyComeAtOnce) {
  std::vector<std::unique_ptr<Sent>> sent;
  for (std::size_t i = 0; i < 20; ++i) {
    const bool known = i % 3 == 0;
    sent.push_back(
        send(Method::kPost, "/upload", {}, known ? std::optional<std::uint64_t>(9'000) : std::nullopt, i % 2));
    sent.back()->body().push(std::string(4'000, 'x'));
  }
  for (auto& one : sent) {
    one->body().push(std::string(5'000, 'x'));
    one->body().end();
  }
  std::uint64_t stored = 0;
  for (auto& one : sent) {
    const int status = one->answer().status;
    EXPECT_TRUE(status == 201 || status == 507) << one->answer().body;
    if (status == 201) stored += 9'000;
  }
  EXPECT_LE(stored, 100'000u);
  EXPECT_GE(stored, 9'000u);
  EXPECT_EQ(usage().user.stored, stored);
  EXPECT_EQ(usage().user.reserved, 0u);
  EXPECT_EQ(blobs().size(), stored / 9'000);
}

}  // namespace
}  // namespace parley::media
