#include "auth/http_jwks_source.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "auth/key_set.h"

namespace parley::auth {
namespace {

// Gives `pieces` one by one; time passes with each.
class PacedBody final : public http::Body {
 public:
  PacedBody(std::vector<std::string> pieces, ManualClock& clock, std::chrono::milliseconds pace)
      : pieces_(std::move(pieces)), clock_(clock), pace_(pace) {}
  Task<Result<std::string_view>> read() override {
    clock_.advance(pace_);
    if (next_ == pieces_.size()) co_return std::string_view();
    co_return pieces_[next_++];
  }
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::vector<std::string> pieces_;
  ManualClock& clock_;
  const std::chrono::milliseconds pace_;
  std::size_t next_ = 0;
};

class FakeUpstream final : public http::Upstream {
 public:
  explicit FakeUpstream(std::function<Result<http::Response>(const http::Request&)> answer)
      : answer_(std::move(answer)) {}
  std::string_view name() const override { return "jwks"; }
  Task<Result<http::Response>> call(http::Request& request, SteadyTime) override { co_return answer_(request); }

 private:
  std::function<Result<http::Response>(const http::Request&)> answer_;
};

class HttpJwks : public ::testing::Test {
 protected:
  Result<std::string> fetch(std::function<Result<http::Response>(const http::Request&)> answer) {
    HttpJwksSource source(std::make_unique<FakeUpstream>(std::move(answer)), "/keys?v=1", clock);
    EventLoops loops(1);
    loops.start();
    const SteadyTime deadline = clock.steady_now() + std::chrono::seconds(5);
    return asio::co_spawn(loops.at(0).io(), source.fetch(deadline), asio::use_future).get();
  }
  Result<std::string> fetch_pieces(std::vector<std::string> pieces, std::chrono::milliseconds pace = {}) {
    return fetch([&](const http::Request&) {
      http::Response response;
      response.stream = std::make_unique<PacedBody>(pieces, clock, pace);
      return Result<http::Response>(std::move(response));
    });
  }
  ManualClock clock;
};

TEST_F(HttpJwks, AsksForTheTargetAndAnswersTheBody) {
  const auto text = fetch([](const http::Request& request) {
    EXPECT_EQ(request.method, http::Method::kGet);
    EXPECT_EQ(request.target, "/keys?v=1");
    return Result<http::Response>(http::json_response(200, "keys"));
  });
  EXPECT_EQ(text.value(), "keys");
  EXPECT_EQ(fetch_pieces({"k", "ey", "s"}).value(), "keys");
}

TEST_F(HttpJwks, AnyAnswerBut200IsAFailure) {
  for (const int status : {204, 301, 302, 401, 404, 500, 503}) {
    const auto text = fetch([status](const http::Request&) {
      return Result<http::Response>(http::text_response(status, "text/plain", "keys"));
    });
    ASSERT_FALSE(text) << status;
    EXPECT_EQ(text.error().kind, ErrorKind::kUnavailable);
  }
  EXPECT_FALSE(fetch([](const http::Request&) -> Result<http::Response> { return unavailable("down", "down"); }));
}

TEST_F(HttpJwks, ABodyOverTheLimitIsAFailure) {
  const std::string half(KeySet::kMaxTextBytes / 2, 'x');
  EXPECT_EQ(fetch_pieces({half, half}).value().size(), KeySet::kMaxTextBytes);
  EXPECT_FALSE(fetch_pieces({half, half, "x"}));
}

TEST_F(HttpJwks, ABodyThatDripsPastTheDeadlineIsAFailure) {
  EXPECT_TRUE(fetch_pieces({"k", "e", "y"}, std::chrono::seconds(1)));
  EXPECT_FALSE(fetch_pieces({"k", "e", "y", "s", "!"}, std::chrono::seconds(1)));
}

}  // namespace
}  // namespace parley::auth
