#include "http/multipart.h"

#include <gtest/gtest.h>

#include <random>

#include "http/testing/loop_thread.h"

namespace parley::http {
namespace {

// A body that comes in pieces of `step` bytes, and then, perhaps, fails.
class PiecewiseBody final : public Body {
 public:
  PiecewiseBody(std::string text, std::size_t step, std::optional<Error> failure = std::nullopt)
      : text_(std::move(text)), step_(step), failure_(std::move(failure)) {}
  Task<Result<std::string_view>> read() override {
    if (at_ == text_.size() && failure_) co_return std::unexpected(*failure_);
    piece_ = text_.substr(at_, step_);
    at_ += piece_.size();
    largest_ = std::max(largest_, piece_.size());
    co_return std::string_view(piece_);
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  std::size_t largest() const { return largest_; }
  std::size_t unread() const { return text_.size() - at_; }

 private:
  const std::string text_;
  const std::size_t step_;
  const std::optional<Error> failure_;
  std::size_t at_ = 0, largest_ = 0;
  std::string piece_;
};

// Everything a form holds as "name(filename,type)=content|…", or the code of its error after what came before it.
Task<std::string> read_form(Body& body, MultipartLimits limits = {}, bool skip = false) {
  MultipartReader reader(body, "XyZ", limits);
  std::string all;
  for (;;) {
    const Result<bool> more = co_await reader.next();
    if (!more) co_return all + "!" + more.error().code;
    if (!*more) co_return all;
    const MultipartReader::Part& part = reader.part();
    all += part.name;
    if (part.filename) all += "(" + *part.filename + "," + part.content_type + ")";
    all += "=";
    for (std::string_view piece = "x"; !skip && !piece.empty();) {
      const Result<std::string_view> read = co_await reader.content().read();
      if (!read) co_return all + "!" + read.error().code;
      piece = *read;
      all += piece;
    }
    all += "|";
  }
}

std::string read_in_steps(std::string text, std::size_t step, MultipartLimits limits = {}, bool skip = false) {
  testing::LoopThread loop;
  PiecewiseBody body(std::move(text), step, std::nullopt);
  return loop.run(read_form(body, limits, skip));
}

const std::string kField = "--XyZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
const std::string kFile =
    "--XyZ\r\ncontent-disposition:form-data;name=f;filename=\"x y.bin\"\r\nContent-Type:\t image/png \r\n\r\n";
const std::string kEnd = "--XyZ--\r\n";

TEST(Multipart, IsReadPartByPartHoweverItIsCut) {
  const std::string form = kField + "1\r\n" + kFile + "\r\n\r\r\n--Xy\r\n--XyY\r\n" + kField + "\r\n" + kEnd;
  testing::LoopThread loop;
  for (std::size_t step = 1; step <= form.size(); ++step) {
    PiecewiseBody body(form, step);
    EXPECT_EQ(loop.run(read_form(body)), "a=1|f(x y.bin,image/png)=\r\n\r\r\n--Xy\r\n--XyY|a=|") << step;
  }
}

TEST(Multipart, GivesRandomBytesBackAsTheyWere) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  testing::LoopThread loop;
  for (int round = 0; round < 200; ++round) {
    // Of few letters, so that halves of boundaries are frequent.
    std::string content(random() % 2000, '\0');
    for (char& c : content) c = "\r\n-XyZ"[random() % 6];
    for (std::size_t at; (at = content.find("\r\n--XyZ")) != std::string::npos;) content.erase(at, 1);
    if (content.starts_with("--XyZ")) content.erase(0, 1);
    PiecewiseBody body(kFile + content + "\r\n" + kEnd, 1 + random() % 64);
    EXPECT_EQ(loop.run(read_form(body)), "f(x y.bin,image/png)=" + content + "|");
  }
}

TEST(Multipart, MayHaveAPreambleAnEpilogueAndBlanksBehindBoundaries) {
  EXPECT_EQ(read_in_steps("before\r\n--XyZ \t" + kField.substr(5) + "1\r\n" + kEnd + "after --XyZ\r\n", 7), "a=1|");
  EXPECT_EQ(read_in_steps(kField + "1\r\n--XyZ--", 7), "a=1|");
  EXPECT_EQ(read_in_steps("\r\n" + kField + "1\r\n" + kEnd, 7), "a=1|");
}

TEST(Multipart, MayBeEmpty) {
  EXPECT_EQ(read_in_steps("--XyZ--\r\n", 3), "");
}

TEST(Multipart, UnreadPartsAreSkipped) {
  const std::string form = kField + std::string(100, 'x') + "\r\n" + kFile + "2\r\n" + kEnd;
  EXPECT_EQ(read_in_steps(form, 10, {}, true), "a=|f(x y.bin,image/png)=|");
  EXPECT_EQ(read_in_steps(form, 10, {.skipped_bytes = 50}, true), "a=|!payload_too_large");
  EXPECT_EQ(read_in_steps(std::string(51, 'x') + "\r\n" + form, 10, {.skipped_bytes = 50}), "!payload_too_large");
}

TEST(Multipart, NeverReadsAheadOfItsReader) {
  testing::LoopThread loop;
  PiecewiseBody body(kFile + std::string(100'000, 'x') + "\r\n" + kEnd, 1000);
  MultipartReader reader(body, "XyZ");
  EXPECT_TRUE(loop.run(reader.next()).value());
  EXPECT_GT(body.unread(), 98'000U);
  EXPECT_FALSE(loop.run(reader.content().read()).value().empty());
  EXPECT_GT(body.unread(), 98'000U);
}

TEST(Multipart, TellsThePartsFieldsAndAnEndMoreThanOnce) {
  testing::LoopThread loop;
  PiecewiseBody body("--XyZ\r\nContent-MD5: abc\r\n" + kFile.substr(7) + "\r\n" + kEnd, 1000);
  MultipartReader reader(body, "XyZ");
  EXPECT_TRUE(loop.run(reader.next()).value());
  EXPECT_EQ(reader.part().fields.find("content-md5"), "abc");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(loop.run(reader.content().read()).value(), "");
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(loop.run(reader.next()).value());
}

TEST(Multipart, ThatEndsEarlyIsInvalid) {
  const std::string form = kField + "1\r\n" + kFile + "2\r\n--XyZ--";
  testing::LoopThread loop;
  for (std::size_t length = 0; length < form.size(); ++length) {
    PiecewiseBody body(form.substr(0, length), 11);
    EXPECT_TRUE(loop.run(read_form(body)).ends_with("!invalid_multipart")) << length;
  }
}

TEST(Multipart, WithABrokenHeadIsInvalid) {
  for (const char* head :
       {"\r\n", "Content-Type: text/plain\r\n\r\n", "Content-Disposition: form-data\r\n\r\n",
        "Content-Disposition: attachment; name=a\r\n\r\n", "Content-Disposition: form-data; name=\"a\r\n\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n",
        "Content-Disposition: form-data;\r\n name=a\r\n\r\n", "Content-Disposition: form-data; name=a\r\nx\r\n\r\n",
        "Content-Disposition: form-data; name=a\r\nx y: z\r\n\r\n",
        "Content-Disposition: form-data; name=a\r\n: z\r\n\r\n",
        "Content-Disposition: form-data; name=a\r\nx: \x01\r\n\r\n",
        "Content-Disposition: form-data; name=a\r\nx: \n\r\n\r\n",
        "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n"}) {
    EXPECT_EQ(read_in_steps("--XyZ\r\n" + std::string(head) + "1\r\n" + kEnd, 9), "!invalid_multipart") << head;
  }
  for (const char* behind : {"x\r\n", "-\r\n", "\n", "\r", " x\r\n"}) {
    EXPECT_EQ(read_in_steps("--XyZ" + std::string(behind) + kField.substr(7) + "1\r\n" + kEnd, 9), "!invalid_multipart")
        << behind;
  }
}

TEST(Multipart, TakesPartsThatSayTheyAreAsTheyAre) {
  for (const char* encoding : {"7bit", "8BIT", "binary"}) {
    EXPECT_EQ(read_in_steps("--XyZ\r\nContent-Transfer-Encoding: " + std::string(encoding) + "\r\n" + kField.substr(7) +
                                "1\r\n" + kEnd,
                            9),
              "a=1|");
  }
}

TEST(Multipart, HasLimitsForHeadsAndParts) {
  const std::string long_head = "--XyZ\r\nX: " + std::string(1000, 'x') + "\r\n" + kField.substr(7) + "1\r\n" + kEnd;
  for (const std::size_t step : {1, 100, 10'000}) {
    EXPECT_EQ(read_in_steps(long_head, step), "a=1|");
    EXPECT_EQ(read_in_steps(long_head, step, {.head_bytes = 1000}), "!payload_too_large");
  }
  std::string many;
  for (int i = 0; i < 3; ++i) many += kField + "1\r\n";
  EXPECT_EQ(read_in_steps(many + kEnd, 100, {.parts = 3}), "a=1|a=1|a=1|");
  EXPECT_EQ(read_in_steps(many + kEnd, 100, {.parts = 2}), "a=1|a=1|!payload_too_large");
  std::string fields;
  for (std::size_t i = 0; i < Fields::kMaxFields; ++i) fields += "X: y\r\n";
  EXPECT_EQ(read_in_steps("--XyZ\r\n" + fields + kField.substr(7) + "1\r\n" + kEnd, 100), "!payload_too_large");
}

TEST(Multipart, PassesOnTheBodysOwnErrorAndStaysBroken) {
  testing::LoopThread loop;
  PiecewiseBody body(kFile + "12", 1000, Error{ErrorKind::kRequestTimeout, "request_timeout", "", {}, {}});
  MultipartReader reader(body, "XyZ");
  EXPECT_TRUE(loop.run(reader.next()).value());
  EXPECT_EQ(loop.run(reader.content().read()).value(), "12");
  EXPECT_EQ(loop.run(reader.content().read()).error().code, "request_timeout");
  EXPECT_EQ(loop.run(reader.content().read()).error().code, "invalid_multipart");
  EXPECT_EQ(loop.run(reader.next()).error().code, "invalid_multipart");
}

TEST(MultipartBoundary, IsTakenFromTheContentType) {
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=abc").value(), "abc");
  EXPECT_EQ(multipart_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b:c\"").value(), "a b:c");
  EXPECT_EQ(multipart_boundary("multipart/form-data; boundary=" + std::string(70, 'x')).value(), std::string(70, 'x'));
}

TEST(MultipartBoundary, ThatIsNoneIsRefused) {
  for (const char* other :
       {"", "text/plain; boundary=a", "multipart/mixed; boundary=a", "multipart/form-data; boundary"}) {
    EXPECT_EQ(multipart_boundary(other).error().kind, ErrorKind::kUnsupportedMediaType) << other;
  }
  const std::string long_one = "multipart/form-data; boundary=" + std::string(71, 'x');
  for (const std::string& bad :
       {std::string("multipart/form-data"), std::string("multipart/form-data; boundary=\"\""),
        std::string("multipart/form-data; boundary=\"a \""), std::string("multipart/form-data; boundary=\"a;b\""),
        std::string("multipart/form-data; boundary=\xc3\xa4"), long_one}) {
    EXPECT_EQ(multipart_boundary(bad).error().code, "invalid_multipart") << bad;
  }
}

}  // namespace
}  // namespace parley::http
