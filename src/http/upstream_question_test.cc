#include "http/upstream_question.h"

#include <gtest/gtest.h>

#include "http/testing/loop_thread.h"

namespace parley::http {
namespace {

class PiecesBody final : public Body {
 public:
  explicit PiecesBody(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  Task<Result<std::string_view>> read() override {
    co_return next_ < pieces_.size() ? std::string_view(pieces_[next_++]) : std::string_view();
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  const std::vector<std::string> pieces_;
  std::size_t next_ = 0;
};

// Answers what it was asked.
class EchoUpstream final : public Upstream {
 public:
  bool streams = false;
  std::string_view name() const override { return "echo"; }
  Task<Result<Response>> call(Request& request, SteadyTime) override {
    if (request.path == "/down") co_return unavailable("unavailable", "down");
    auto body = co_await read_all(*request.body, 1000);
    std::string text(to_string(request.method));
    text.append(" ").append(request.target).append(" ").append(request.fields.find("X-One").value_or("-"));
    text.append(" ").append(request.fields.find("Content-Type").value_or("-")).append(" ").append(*body);
    Response response = json_response(203, streams ? "" : text);
    if (streams)
      response.stream = std::make_unique<PiecesBody>(std::vector<std::string>{text.substr(0, 5), text.substr(5)});
    co_return response;
  }
};

class UpstreamQuestion : public ::testing::Test {
 protected:
  Result<WholeAnswer> ask_it(Question question, std::size_t most = 1000) {
    return loop_.run(ask(upstream_, std::move(question), SteadyTime::max(), most));
  }
  EchoUpstream upstream_;
  testing::LoopThread loop_;
};

TEST_F(UpstreamQuestion, SendsMethodTargetFieldsAndBody) {
  const auto answer = ask_it({Method::kPost, "/a?b=c", {{"X-One", "1"}}, "{}"});
  EXPECT_EQ(answer->status, 203);
  EXPECT_EQ(answer->body, "POST /a?b=c 1 application/json {}");
  EXPECT_EQ(answer->headers.find("Content-Type"), "application/json");
  EXPECT_EQ(ask_it({Method::kGet, "/", {}, {}})->body, "GET / - - ");
}

TEST_F(UpstreamQuestion, ReadsAnAnswerThatComesInPieces) {
  upstream_.streams = true;
  EXPECT_EQ(ask_it({Method::kGet, "/", {}, {}})->body, "GET / - - ");
}

TEST_F(UpstreamQuestion, AnAnswerThatIsTooLongIsNone) {
  upstream_.streams = true;
  EXPECT_EQ(ask_it({Method::kGet, "/", {}, {}}, 5).error().kind, ErrorKind::kUnavailable);
}

TEST_F(UpstreamQuestion, SaysWhyThereIsNoAnswer) {
  EXPECT_EQ(ask_it({Method::kGet, "/down", {}, {}}).error().code, "unavailable");
}

}  // namespace
}  // namespace parley::http
