#include "http/openapi/ndjson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::http::openapi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr auto kYaml = R"(
paths:
  /lines:
    post:
      operationId: add_lines
      x-max-body-bytes: 100
      x-max-lines: 3
      requestBody:
        required: true
        content:
          application/x-ndjson:
            schema: {type: string}
            x-line-schema: {type: object, additionalProperties: false, required: [n], properties: {n: {type: integer, minimum: 0}}}
)";

// A body that comes in pieces of `step` bytes.
class PiecewiseBody final : public Body {
 public:
  PiecewiseBody(std::string text, std::size_t step) : text_(std::move(text)), step_(step) {}
  Task<Result<std::string_view>> read() override {
    piece_ = text_.substr(0, step_);
    text_.erase(0, step_);
    co_return std::string_view(piece_);
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::string text_, piece_;
  std::size_t step_;
};

// The lines as "number:n", and the error's code and first path at last, if there is one.
Task<std::vector<std::string>> read_lines(const Operation& operation, Body& body) {
  NdjsonReader reader(operation, body);
  std::vector<std::string> lines;
  for (;;) {
    auto line = co_await reader.next();
    if (!line) {
      const Error& error = line.error();
      lines.push_back(error.code + (error.fields.empty() ? "" : " " + error.fields[0].path));
      co_return lines;
    }
    if (!*line) co_return lines;
    lines.push_back(std::to_string((*line)->number) + ":" + std::to_string((*line)->value.value().at("n").as_int64()));
  }
}

std::vector<std::string> lines_of(const std::string& text, std::size_t step = 1000) {
  static const auto contract = Contract::parse(kYaml).value();
  testing::LoopThread loop;
  PiecewiseBody body(text, step);
  return loop.run(read_lines(contract->at("add_lines"), body));
}

TEST(NdjsonReader, ReadsLinesHoweverTheyAreCut) {
  for (const std::size_t step : {1U, 2U, 3U, 7U, 1000U}) {
    EXPECT_THAT(lines_of("{\"n\":1}\n\n{\"n\":2}\r\n  \n{\"n\":3}", step), ElementsAre("0:1", "2:2", "4:3")) << step;
    EXPECT_THAT(lines_of("{\"n\":1}\n", step), ElementsAre("0:1")) << step;
  }
  EXPECT_TRUE(lines_of("").empty());
  EXPECT_TRUE(lines_of("\n \n").empty());
}

TEST(NdjsonReader, NamesTheLineOfAFault) {
  EXPECT_THAT(lines_of("{\"n\":1}\n{\"n\":-1}\n"), ElementsAre("0:1", "validation_failed /1/n"));
  EXPECT_THAT(lines_of("{\"n\":1}\n\n{\"m\":1}"), ElementsAre("0:1", "validation_failed /2/n"));
  EXPECT_THAT(lines_of("{\"n\":1}\n{"), ElementsAre("0:1", "invalid_json /1"));
  EXPECT_THAT(lines_of("[1]"), ElementsAre("validation_failed /0"));
}

TEST(NdjsonReader, BoundsLinesAndBytes) {
  EXPECT_THAT(lines_of("{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n{\"n\":4}\n"),
              ElementsAre("0:1", "1:2", "2:3", "validation_failed /3"));
  EXPECT_THAT(lines_of("{\"n\":1}\n" + std::string(93, ' '), 10), ElementsAre("0:1", "payload_too_large"));
  EXPECT_THAT(lines_of("{\"n\":1}\n" + std::string(92, ' '), 10), ElementsAre("0:1"));
}

}  // namespace
}  // namespace parley::http::openapi
