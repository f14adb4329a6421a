// GET and HEAD of /download, /stream and thumbnails.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "media/testing/files_fixture.h"

namespace parley::media {
namespace {

using testing::Answer;
using ::testing::HasSubstr;
using testing::HeaderList;
using ::testing::Not;
using testing::some_bytes;
using ::testing::StartsWith;

class Downloads : public testing::FilesFixture {
 protected:
  static std::string path(const File& file, const std::string& how = "download") {
    return "/" + how + "/" + file.id.value;
  }
  static std::string hex_of(std::string_view bytes) {
    return hex_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  }
  // Repr-Digest, as the other side reads it.
  static std::string digest_in(const Answer& answer) {
    const std::string field = answer.header("Repr-Digest");
    EXPECT_THAT(field, ::testing::MatchesRegex("sha-256=:[A-Za-z0-9+/]{43}=:"));
    return hex_of(base64_decode(field.substr(9, 44)).value_or(""));
  }
  static std::string etag(const File& file) { return '"' + hex_encode(file.sha256) + '"'; }

  Answer get(const File& file, HeaderList headers = {}) { return client("ada").get(path(file), std::move(headers)); }
  Answer range(const File& file, const std::string& range) { return get(file, {{"Range", range}}); }
  Answer head(const std::string& target, HeaderList headers = {}) {
    return client("ada").send(http::Method::kHead, target, "", std::move(headers));
  }
  // What signer_ makes of it, without its base, as media sees it behind the gateway.
  std::string signed_path(const File& file, const std::string& user = "ada",
                          http::Disposition disposition = http::Disposition::kAttachment) {
    const std::string url =
        signer_.address({file.tenant, file.id, UserId(user), disposition, clock_.wall_now() + std::chrono::minutes(1)});
    return url.substr(url.find("/download/"));
  }
  Answer get_without_token(const std::string& target, HeaderList headers = {}) {
    return http::testing::ServiceClient(loop_, *service_).get(target, std::move(headers));
  }
};

class PresignedDownloads : public Downloads {
 protected:
  PresignedDownloads() { blobs_->presigned_base = "https://s3.example.com/files/"; }
  const std::string bytes = some_bytes(70'000);
};

TEST_F(PresignedDownloads, WhatIsLargeIsSentByTheStore) {
  const File file = stored(bytes, {.type = "image/png", .name = "all of it.png"});
  const std::string begin = "https://s3.example.com/files/" + file.id.value + "|image/png|";
  const Answer answer = get(file);
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.header("Location"), begin + "attachment; filename=\"all of it.png\"");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(client("ada").get(path(file, "stream")).header("Location"), begin + "inline; filename=\"all of it.png\"");
  EXPECT_EQ(get_without_token(signed_path(file)).header("Location"), answer.header("Location"));
  EXPECT_EQ(range(file, "bytes=5-9").header("Location"), answer.header("Location"))
      << "which the client asks for again";
  EXPECT_EQ(blobs_->opened, 0);
}

TEST_F(PresignedDownloads, WhatCouldRunGoesAsItWouldFromHere) {
  const File page = stored(bytes, {.type = "text/html", .name = "page.html"});
  EXPECT_THAT(client("ada").get(path(page, "stream")).header("Location"), HasSubstr("|attachment; "));
  const File script = stored(bytes, {.type = "text/javascript", .name = "script.js"});
  EXPECT_THAT(get(script).header("Location"), HasSubstr("|application/octet-stream|"));
}

TEST_F(PresignedDownloads, RightsAndConditionsAreAskedForFirst) {
  const File file = stored(bytes);
  EXPECT_EQ(client("mallory").get(path(file)).status, 404);
  EXPECT_EQ(get_without_token(path(file) + "?signature=x").status, 403);
  EXPECT_EQ(get(file, {{"If-None-Match", etag(file)}}).status, 304);
  EXPECT_EQ(range(file, "bytes=70000-").status, 416);
}

TEST_F(PresignedDownloads, SmallFilesAndHeadAreAnsweredHere) {
  const File small = stored(bytes.substr(0, 16 * 1024));
  EXPECT_EQ(get(small).status, 200);
  EXPECT_TRUE(get(small).body == bytes.substr(0, 16 * 1024));
  const File file = stored(bytes);
  EXPECT_EQ(head(path(file)).status, 200);
}

TEST_F(Downloads, AFileComesWholeWithAllThatIsKnownOfIt) {
  clock_.advance(*parse_rfc3339("2026-11-24T09:15:00Z") - clock_.wall_now());
  const std::string bytes = some_bytes(70'000);
  const File file = stored(bytes, {.type = "application/zip", .name = "all of it.zip"});
  const Answer answer = get(file);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == bytes);
  EXPECT_EQ(answer.length, bytes.size());
  EXPECT_EQ(answer.header("Content-Type"), "application/zip");
  EXPECT_EQ(answer.header("Content-Disposition"), "attachment; filename=\"all of it.zip\"");
  EXPECT_EQ(answer.header("ETag"), etag(file));
  EXPECT_EQ(answer.header("Last-Modified"), "Tue, 24 Nov 2026 09:15:00 GMT");
  EXPECT_EQ(answer.header("Accept-Ranges"), "bytes");
  EXPECT_EQ(digest_in(answer), hex_encode(file.sha256));
  EXPECT_EQ(answer.header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_THAT(answer.header("Content-Security-Policy"), StartsWith("sandbox; default-src 'none';"));
  EXPECT_EQ(answer.header("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(answer.header("Cross-Origin-Resource-Policy"), "same-origin");
  EXPECT_EQ(answer.header("Content-Range"), "");
}

TEST_F(Downloads, FilesOfEverySizeComeWhole) {
  for (const std::size_t size : {0, 1, 4096, 16 * 1024, 16 * 1024 + 1, 400'000}) {
    const std::string bytes = some_bytes(size);
    const Answer answer = get(stored(bytes));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.body == bytes) << size;
  }
}

TEST_F(Downloads, ARangeIsThatPart) {
  const std::string bytes = some_bytes(50'000);
  const File file = stored(bytes);
  struct Case {
    const char* range;
    std::size_t first, length;
    const char* content_range;
  };
  for (const Case& each :
       {Case{"bytes=0-0", 0, 1, "bytes 0-0/50000"}, Case{"bytes=10-19", 10, 10, "bytes 10-19/50000"},
        Case{"bytes=49999-", 49'999, 1, "bytes 49999-49999/50000"},
        Case{"bytes=-7", 49'993, 7, "bytes 49993-49999/50000"}, Case{"bytes=-90000", 0, 50'000, "bytes 0-49999/50000"},
        Case{"bytes=100-99999", 100, 49'900, "bytes 100-49999/50000"}}) {
    const Answer answer = range(file, each.range);
    EXPECT_EQ(answer.status, 206) << each.range;
    EXPECT_TRUE(answer.body == bytes.substr(each.first, each.length)) << each.range;
    EXPECT_EQ(answer.header("Content-Range"), each.content_range);
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; charset=utf-8");
    EXPECT_EQ(answer.header("ETag"), etag(file));
    EXPECT_EQ(digest_in(answer), hex_encode(file.sha256));
  }
}

TEST_F(Downloads, WhatIsNoRangeCountsForNothing) {
  const File file = stored(some_bytes(100));
  for (const char* bad : {"bytes=", "bytes=5", "bytes=9-3", "items=0-1", "bytes=a-b", "bytes=--1", "0-1",
                          "bytes=0-99,0-99", "bytes=0-1,2-3,4-5,6-7,8-9,10-11,12-13,14-15,16-17"}) {
    const Answer answer = range(file, bad);
    EXPECT_EQ(answer.status, 200) << bad;
    EXPECT_EQ(answer.body.size(), 100u) << bad;
  }
  EXPECT_EQ(range(stored(""), "bytes=0-5").status, 200);
}

TEST_F(Downloads, SeveralRangesComeAsPartsOfOneBody) {
  const std::string bytes = some_bytes(60'000);
  const File file = stored(bytes, {.type = "video/mp4", .name = "film.mp4"});
  const Answer answer = range(file, "bytes=0-9, 30000-50000 ,-5,70000-");
  ASSERT_EQ(answer.status, 206);
  const std::string type = answer.header("Content-Type");
  ASSERT_THAT(type, StartsWith("multipart/byteranges; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  const auto part = [&](const std::string& range, std::size_t first, std::size_t length) {
    return "\r\n--" + boundary + "\r\nContent-Type: video/mp4\r\nContent-Range: bytes " + range + "/60000\r\n\r\n" +
           bytes.substr(first, length);
  };
  const std::string expected = part("0-9", 0, 10) + part("30000-50000", 30'000, 20'001) +
                               part("59995-59999", 59'995, 5) + "\r\n--" + boundary + "--\r\n";
  EXPECT_TRUE(answer.body == expected);
  EXPECT_EQ(answer.length, expected.size());
  EXPECT_EQ(answer.header("Content-Range"), "");
  EXPECT_EQ(answer.header("ETag"), etag(file));
}

TEST_F(Downloads, OneOfSeveralRangesThatIsThereIsASinglePart) {
  const Answer answer = range(stored("abcdef"), "bytes=1-2,100-200");
  EXPECT_EQ(answer.status, 206);
  EXPECT_EQ(answer.body, "bc");
  EXPECT_EQ(answer.header("Content-Range"), "bytes 1-2/6");
}

TEST_F(Downloads, ARangeBehindTheEndIs416AndSaysTheSize) {
  const File file = stored(some_bytes(100));
  for (const char* behind : {"bytes=100-", "bytes=100-200,300-400", "bytes=-0"}) {
    const Answer answer = range(file, behind);
    EXPECT_EQ(answer.status, 416) << behind;
    EXPECT_EQ(answer.code(), "range_not_satisfiable");
    EXPECT_EQ(answer.header("Content-Range"), "bytes */100");
    EXPECT_EQ(answer.header("ETag"), "");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  }
}

TEST_F(Downloads, IfRangeDecidesWhetherARangeCounts) {
  const File file = stored("abcdef");
  const std::string date = get(file).header("Last-Modified");
  const auto with = [&](const std::string& if_range) {
    return get(file, {{"Range", "bytes=1-2"}, {"If-Range", if_range}}).status;
  };
  EXPECT_EQ(with(etag(file)), 206);
  EXPECT_EQ(with(date), 206);
  EXPECT_EQ(with("\"another\""), 200);
  EXPECT_EQ(with("W/" + etag(file)), 200);
  EXPECT_EQ(with("Sun, 06 Nov 1994 08:49:37 GMT"), 200);
  EXPECT_EQ(with("nonsense"), 200);
  EXPECT_EQ(get(file, {{"Range", "bytes=9-"}, {"If-Range", "\"another\""}}).status, 200);
}

TEST_F(Downloads, WhoHasItAlreadyIsToldSo) {
  const File file = stored("abcdef");
  const std::string date = get(file).header("Last-Modified");
  for (const HeaderList& has :
       {HeaderList{{"If-None-Match", etag(file)}}, HeaderList{{"If-None-Match", "W/" + etag(file)}},
        HeaderList{{"If-None-Match", "\"x\", " + etag(file)}}, HeaderList{{"If-None-Match", "*"}},
        HeaderList{{"If-Modified-Since", date}}, HeaderList{{"If-None-Match", etag(file)}, {"Range", "bytes=0-1"}}}) {
    for (const http::Method method : {http::Method::kGet, http::Method::kHead}) {
      const Answer answer = client("ada").send(method, path(file), "", has);
      EXPECT_EQ(answer.status, 304) << has.front().second;
      EXPECT_EQ(answer.body, "");
      EXPECT_EQ(answer.header("ETag"), etag(file));
      EXPECT_EQ(answer.header("Cache-Control"), "private, no-cache");
    }
  }
  EXPECT_EQ(get(file, {{"If-None-Match", "\"x\""}, {"If-Modified-Since", date}}).status, 200);
  EXPECT_EQ(get(file, {{"If-Modified-Since", "Sun, 06 Nov 1960 08:49:37 GMT"}}).status, 200);
}

TEST_F(Downloads, HeadSaysWhatGetWouldWithoutOpeningTheObject) {
  const File file = stored(some_bytes(30'000), {.type = "image/png", .name = "a.png"});
  for (const std::string how : {"download", "stream"}) {
    const Answer full = client("ada").get(path(file, how));
    const int opened = blobs_->opened;
    const Answer answer = head(path(file, how));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.length, 30'000u);
    EXPECT_EQ(blobs_->opened, opened);
    for (const char* name : {"Content-Type", "Content-Disposition", "ETag", "Last-Modified", "Accept-Ranges",
                             "Repr-Digest", "Cache-Control", "Content-Security-Policy"}) {
      EXPECT_EQ(answer.header(name), full.header(name)) << name;
    }
    EXPECT_EQ(head(path(file, how), {{"Range", "bytes=0-9"}}).length, 30'000u);
    EXPECT_EQ(head(path(file, how), {{"Range", "bytes=90000-"}}).status, 200);
  }
}

TEST_F(Downloads, WhatABrowserCouldRunIsNeverShownInPlace) {
  const auto shown = [&](const std::string& type, const std::string& target) {
    const File file = stored("x", {.type = type, .name = "f"});
    const std::string field = client("ada")
                                  .get(target + file.id.value + (target == "/download/" ? "?disposition=inline" : ""))
                                  .header("Content-Disposition");
    return field.substr(0, field.find(';'));
  };
  for (const std::string target : {"/stream/", "/download/"}) {
    for (const char* safe : {"image/png", "image/jpeg", "video/mp4", "audio/mpeg", "text/plain"}) {
      EXPECT_EQ(shown(safe, target), "inline") << safe;
    }
    for (const char* unsafe : {"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/pdf",
                               "text/javascript", "application/octet-stream", "multipart/related"}) {
      EXPECT_EQ(shown(unsafe, target), "attachment") << unsafe;
    }
  }
  EXPECT_THAT(get(stored("x", {.type = "image/png", .name = "f"})).header("Content-Disposition"),
              StartsWith("attachment;"));
}

TEST_F(Downloads, NoPageCanLoadAFileAsItsScriptOrStyleSheet) {
  for (const char* code : {"text/javascript", "application/javascript", "application/x-javascript", "text/ecmascript",
                           "application/ecmascript", "text/jscript", "text/livescript", "text/css"}) {
    const File file = stored("alert(1)", {.type = code, .name = "a.js"});
    for (const std::string how : {"download", "stream"}) {
      for (const HeaderList& headers : {HeaderList{}, HeaderList{{"Range", "bytes=0-4"}}}) {
        const Answer answer = client("ada").get(path(file, how), headers);
        EXPECT_EQ(answer.header("Content-Type"), "application/octet-stream") << code;
        EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
      }
      EXPECT_EQ(head(path(file, how)).header("Content-Type"), "application/octet-stream");
    }
    EXPECT_THAT(range(file, "bytes=0-0,2-2").body, Not(HasSubstr(code)));
    EXPECT_THAT(client("ada").get("/files/" + file.id.value).body, HasSubstr(code));  // what it is known as stays
  }
}

TEST_F(Downloads, ANameGoesOutForOldAndNewClients) {
  const File file = stored("x", {.type = "text/plain", .name = "Grüße \"1\".txt"});
  EXPECT_EQ(get(file).header("Content-Disposition"),
            "attachment; filename=\"Gr__e _1_.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.txt");
}

TEST_F(Downloads, AFileWhoseObjectIsGoneOrCutShortIs503AndTheOthersAreNot) {
  const File lost = stored(some_bytes(100));
  const File cut = stored(some_bytes(40'000));
  std::filesystem::remove(object_of(lost));
  std::filesystem::resize_file(object_of(cut), 39'999);
  for (const File& file : {lost, cut}) {
    for (const char* wanted : {"bytes=0-5", "bytes=0-1,5-6", ""}) {
      const Answer answer = get(file, {{"Range", wanted}});
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.code(), "unavailable");
      EXPECT_NE(answer.header("Retry-After"), "");
      EXPECT_EQ(answer.header("X-Parley-Role-Is-Well"), "true");  // one lost object must not close all of media
      EXPECT_EQ(answer.header("ETag"), "");
    }
  }
  EXPECT_EQ(get(stored("there")).body, "there");
}

TEST_F(Downloads, OnlyWhoMayReadAFileGetsIt) {
  const File file = stored("secret");
  shown_.show("bob", file.id);
  shown_.show("ada", file.id, "beta");  // which never happens
  for (const std::string how : {"download", "stream"}) {
    EXPECT_EQ(client("bob").get(path(file, how)).body, "secret");
    EXPECT_EQ(client("bob").send(http::Method::kHead, path(file, how), "").status, 200);
    for (auto stranger :
         {client("eve"), client("root", "acme", "admin"), client("ada", "beta"), client("root", "beta", "admin")}) {
      const Answer answer = stranger.get(path(file, how), {{"If-None-Match", "*"}});
      EXPECT_EQ(answer.status, 404);
      EXPECT_EQ(answer.code(), "not_found");
      EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
      EXPECT_EQ(stranger.send(http::Method::kHead, path(file, how), "").status, 404);
      EXPECT_EQ(stranger.get(path(file, how), {{"Range", "bytes=90-"}}).status, 404);
    }
  }
  EXPECT_EQ(get_without_token(path(file, "stream")).status, 401);
  shown_.hide_all();
  EXPECT_EQ(client("bob").get(path(file)).status, 404);
}

TEST_F(Downloads, WhenMessagingIsAwayOwnersReadAndOthersAreToldToWait) {
  const File file = stored("mine");
  shown_.fail_with(kAway);
  EXPECT_EQ(get(file).body, "mine");
  const Answer answer = client("bob").get(path(file));
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.header("Retry-After"), "");
}

TEST_F(Downloads, IdsThatAreNoFilesAre404) {
  const File file = stored("x");
  std::string upper = file.id.value;
  std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; });
  for (const std::string& id : {std::string("nothing"), std::string("%2e%2e"), upper, file.id.value + "0",
                                std::string("00000000-0000-0000-0000-000000000000"), begin(100)}) {
    for (const std::string how : {"/download/", "/stream/"}) EXPECT_EQ(client("ada").get(how + id).status, 404) << id;
  }
}

TEST_F(Downloads, ADeletedFileIsGoneAtOnce) {
  const File file = stored("x");
  const std::string address = signed_path(file);
  EXPECT_EQ(client("ada").remove("/files/" + file.id.value).status, 204);
  EXPECT_EQ(get(file, {{"If-None-Match", etag(file)}}).status, 404);
  EXPECT_EQ(client("ada").get(path(file, "stream")).status, 404);
  EXPECT_EQ(get_without_token(address).status, 404);
}

TEST_F(Downloads, ASignedAddressNeedsNoToken) {
  const std::string bytes = some_bytes(20'000);
  const File file = stored(bytes, {.type = "image/png", .name = "a.png"});
  const std::string address = signed_path(file);
  const Answer answer = get_without_token(address);
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == bytes);
  EXPECT_EQ(answer.header("Content-Disposition"), "attachment; filename=\"a.png\"");
  EXPECT_EQ(answer.header("Cross-Origin-Resource-Policy"), "cross-origin");
  EXPECT_EQ(get_without_token(address, {{"Range", "bytes=5-6"}}).body, bytes.substr(5, 2));
  EXPECT_EQ(get_without_token(address, {{"If-None-Match", etag(file)}}).status, 304);
  EXPECT_EQ(get_without_token(signed_path(file, "ada", http::Disposition::kInline)).header("Content-Disposition"),
            "inline; filename=\"a.png\"");
}

TEST_F(Downloads, ASignedAddressIsAsGoodAsTheRightsOfWhoSignedIt) {
  const File file = stored("x");
  shown_.show("bob", file.id);
  const std::string address = signed_path(file, "bob");
  EXPECT_EQ(get_without_token(address).status, 200);
  shown_.fail_with(kAway);
  EXPECT_EQ(get_without_token(address).status, 503);
  shown_.fail_with({});
  shown_.hide_all();
  EXPECT_EQ(get_without_token(address).status, 404);
  clock_.advance(std::chrono::minutes(1));
  EXPECT_EQ(get_without_token(address).code(), "invalid_signature");
}

TEST_F(Downloads, AnAddressIsForOneFileAndOneRoute) {
  const File file = stored("x"), other = stored("y");
  const std::string query = signed_path(file).substr(signed_path(file).find('?'));
  const Answer answer = get_without_token(path(other) + query);
  EXPECT_EQ(answer.status, 403);
  EXPECT_EQ(answer.code(), "invalid_signature");
  EXPECT_EQ(get_without_token(path(file) + query + "&x=1").status, 403);
  EXPECT_EQ(get_without_token(path(file, "stream") + query).status, 401);
}

TEST_F(Downloads, AThumbnailIsThereOnceItHasBeenMade) {
  const File file = stored("picture", {.type = "image/png", .name = "a.png"});
  const std::string small = "/files/" + file.id.value + "/thumbnails/small";
  EXPECT_EQ(client("ada").get(small).status, 404);
  put_thumbnail(file, ThumbnailSize::kSmall, "smaller");
  const Answer answer = client("ada").get(small);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "smaller");
  EXPECT_EQ(answer.header("Content-Type"), "image/webp");
  EXPECT_EQ(answer.header("Cache-Control"), "private, no-cache");
  EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(client("ada").get(small, {{"If-None-Match", answer.header("ETag")}}).status, 304);
  const Answer head_answer = head(small);
  EXPECT_EQ(head_answer.status, 200);
  EXPECT_EQ(head_answer.length, 7u);
  EXPECT_EQ(client("ada").get("/files/" + file.id.value + "/thumbnails/large").status, 404);
  EXPECT_EQ(client("ada").get("/files/" + file.id.value + "/thumbnails/huge").status, 400);

  EXPECT_EQ(client("bob").get(small).status, 404);
  shown_.show("bob", file.id);
  EXPECT_EQ(client("bob").get(small).status, 200);
  EXPECT_EQ(client("bob", "beta").get(small).status, 404);
  EXPECT_EQ(client("ada").remove("/files/" + file.id.value).status, 204);
  EXPECT_EQ(client("bob").get(small).status, 404);
}

TEST_F(Downloads, WhatIsSentIsCounted) {
  const File file = stored(some_bytes(1000));
  get(file);
  range(file, "bytes=0-9");
  head(path(file));
  EXPECT_THAT(metrics_.text(), HasSubstr("parley_media_sent_bytes_total 1010\n"));
  EXPECT_THAT(metrics_.text(), HasSubstr("parley_media_downloads_total{outcome=\"complete\"} 2\n"));
}

}  // namespace
}  // namespace parley::media
