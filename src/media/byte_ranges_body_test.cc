#include "media/byte_ranges_body.h"

#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::media {
namespace {

// An object in memory, which says that it is a file.
class TextReader final : public BlobReader {
 public:
  TextReader(std::string text, bool& is_gone) : text_(std::move(text)), is_gone_(is_gone) {}
  ~TextReader() override { is_gone_ = true; }
  std::uint64_t size() const override { return text_.size(); }
  std::unique_ptr<http::Body> read(ByteRange range) override {
    class FileText final : public http::Body {
     public:
      explicit FileText(std::string_view text) : text_(text), length_(text.size()) {}
      Task<Result<std::string_view>> read() override { return text_.read(); }
      std::optional<std::uint64_t> size() const override { return length_; }
      std::optional<http::FileRun> as_file() override { return http::FileRun{.fd = 7, .offset = 3, .length = length_}; }

     private:
      http::TextBody text_;
      std::uint64_t length_;
    };
    return std::make_unique<FileText>(std::string_view(text_).substr(range.first, range.length()));
  }

 private:
  const std::string text_;
  bool& is_gone_;
};

TEST(ByteRangesBody, OneRangeIsARunOfTheFileAndKeepsItsReader) {
  http::testing::LoopThread loop;
  bool is_gone = false;
  auto body = range_body(std::make_unique<TextReader>("abcdef", is_gone), {2, 5});
  EXPECT_EQ(body->size(), 3u);
  ASSERT_TRUE(body->as_file());
  EXPECT_EQ(body->as_file()->length, 3u);
  EXPECT_EQ(loop.run(http::read_all(*body, 10)), "cde");
  EXPECT_FALSE(is_gone);
  body.reset();
  EXPECT_TRUE(is_gone);
}

TEST(ByteRangesBody, SeveralRangesAreNoRunOfAFile) {
  http::testing::LoopThread loop;
  bool is_gone = false;
  auto body = ranges_body(std::make_unique<TextReader>("abcdef", is_gone), {{0, 1}, {4, 6}},
                          {.boundary = "XX", .content_type = "a/b", .whole_size = 6});
  EXPECT_FALSE(body->as_file());
  const std::string expected =
      "\r\n--XX\r\nContent-Type: a/b\r\nContent-Range: bytes 0-0/6\r\n\r\na"
      "\r\n--XX\r\nContent-Type: a/b\r\nContent-Range: bytes 4-5/6\r\n\r\nef\r\n--XX--\r\n";
  EXPECT_EQ(body->size(), expected.size());
  EXPECT_EQ(loop.run(http::read_all(*body, 1000)), expected);
  EXPECT_EQ(loop.run(http::read_all(*body, 1000)), "") << "the end stays the end";
}

}  // namespace
}  // namespace parley::media
