#include "media/content_type.h"

#include <gtest/gtest.h>

#include <future>

#include "base/check.h"
#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "base/task_group.h"

namespace parley::media {
namespace {

using namespace std::string_literals;

class ContentType : public ::testing::Test {
 protected:
  ContentType() {
    loops_.start();
    auto opened = ContentTypeSniffer::open();
    CHECK(opened.has_value());
    sniffer_ = std::move(*opened);
  }
  ~ContentType() override { loops_.stop(); }
  std::string sniff(std::string bytes) {
    return run_on_loop(loops_.at(0), sniffer_->sniff(std::move(bytes), SteadyTime::max())).value_or("failed");
  }
  EventLoops loops_{1};
  std::unique_ptr<ContentTypeSniffer> sniffer_;
};

TEST_F(ContentType, IsToldByTheFirstBytes) {
  EXPECT_EQ(sniff("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\x02\0\0\0"s), "image/png");
  EXPECT_EQ(sniff("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"s), "image/jpeg");
  EXPECT_EQ(sniff("GIF89a\1\0\1\0\x80\0\0"s), "image/gif");
  EXPECT_EQ(sniff("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0"s), "image/webp");
  EXPECT_EQ(sniff("%PDF-1.4\n"), "application/pdf");
  EXPECT_EQ(sniff("\0\0\0\x18"s + "ftypmp42\0\0\0\0isommp42"s), "video/mp4");
  EXPECT_EQ(sniff("hello, world\n"), "text/plain");
  EXPECT_EQ(sniff("h\u00e9llo, w\u00f6rld\n"), "text/plain");
  EXPECT_EQ(sniff(R"({"a": 1})"), "application/json");
}

TEST_F(ContentType, GoesByTheNamesThatBrowsersKnow) {
  EXPECT_EQ(sniff("RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0"s), "audio/wav");
  EXPECT_EQ(sniff("\0\0\0\x18"s + "ftypM4A \0\0\0\0"s), "audio/mp4");
  EXPECT_EQ(sniff("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0"s), "image/bmp");
}

TEST_F(ContentType, OfWhatNobodyKnowsIsUnknown) {
  EXPECT_EQ(sniff(""), kUnknownType);
  EXPECT_EQ(sniff("x"), kUnknownType);
  EXPECT_EQ(sniff(std::string(100'000, '\0')), kUnknownType);
}

Task<> sniff_text(ContentTypeSniffer& sniffer, std::vector<Result<std::string>>& answers) {
  answers.push_back(co_await sniffer.sniff(std::string(ContentTypeSniffer::kSniffedBytes, 'a'), SteadyTime::max()));
}

TEST_F(ContentType, IsNotGuessedWhenThereIsNoTimeToLook) {
  constexpr std::size_t kMoreThanCanWait = 600;
  std::vector<Result<std::string>> answers;
  TaskGroup tasks(loops_.at(0));
  std::promise<void> all;
  loops_.at(0).post([&] {
    for (std::size_t i = 0; i < kMoreThanCanWait; ++i) tasks.spawn(sniff_text(*sniffer_, answers));
    tasks.drain([&all] { all.set_value(); });
  });
  all.get_future().wait();
  std::size_t refused = 0;
  for (const auto& answer : answers) {
    if (answer) EXPECT_EQ(*answer, "text/plain");
    if (!answer) EXPECT_EQ(answer.error().code, "overloaded");
    refused += answer ? 0 : 1;
  }
  EXPECT_EQ(answers.size(), kMoreThanCanWait);
  EXPECT_GT(refused, 0u);
}

TEST_F(ContentType, WhatABrowserCouldRunIsNeverSafeInline) {
  for (const std::string& bytes : {"<!DOCTYPE html><html><body>x"s, "<b>hi</b><script>alert(1)</script>"s,
                                   "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"></svg>"s,
                                   "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>"s,
                                   "<?xml version=\"1.0\"?><a/>"s, "#!/usr/bin/env node\nconsole.log(1)\n"s,
                                   "%PDF-1.4\n"s, "\xff\xfe<\0h\0t\0m\0l\0>\0<\0s\0c\0r\0i\0p\0t\0>\0"s}) {
    const std::string type = sniff(bytes);
    EXPECT_FALSE(is_safe_inline(type)) << type;
  }
  // A picture for a browser that must not guess (nosniff), whatever else it says.
  EXPECT_EQ(sniff("GIF89a/*<script>*/=1;"), "image/gif");
}

TEST(SafeInline, IsAShortListOfPicturesSoundFilmAndPlainText) {
  for (const char* type : {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "audio/mpeg",
                           "video/mp4", "video/webm", "text/plain", "text/plain; charset=utf-8", "IMAGE/PNG"}) {
    EXPECT_TRUE(is_safe_inline(type)) << type;
  }
  for (const char* type :
       {"", "image", "image/", "image/*", "image/svg+xml", "text/html", "application/xhtml+xml", "text/xml",
        "application/xml", "application/javascript", "text/javascript", "application/pdf", "text/css",
        "application/octet-stream", "application/json", "multipart/related", "message/rfc822", "text/plainer"}) {
    EXPECT_FALSE(is_safe_inline(type)) << type;
  }
}

TEST(DeclaredType, IsBelievedOfHarmlessTextAlone) {
  EXPECT_EQ(content_type_of("text/plain", "text/markdown"), "text/markdown");
  EXPECT_EQ(content_type_of("text/plain", " Text/CSV ; charset=utf-8"), "text/csv");
  for (const char* declared :
       {"", ";", "text/html", "image/svg+xml", "text/javascript", "text/markdown\r\nX: y", "nonsense"}) {
    EXPECT_EQ(content_type_of("text/plain", declared), "text/plain");
  }
  EXPECT_EQ(content_type_of("image/png", "text/markdown"), "image/png");
  EXPECT_EQ(content_type_of("application/octet-stream", "image/png"), "application/octet-stream");
  EXPECT_EQ(content_type_of("text/html", "text/plain"), "text/html");
}

}  // namespace
}  // namespace parley::media
