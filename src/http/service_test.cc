#include "http/service.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <new>

#include "base/event_loop.h"

namespace parley::http {
namespace {

// Waits before it lets a request on, and writes down what it sees.
class Waiting final : public Middleware {
 public:
  explicit Waiting(std::string& seen, bool throws = false) : seen_(seen), throws_(throws) {}
  Verdict before(Exchange&) override { return wait(); }
  void after(Exchange&, Response& response) override { seen_ += "after " + std::to_string(response.status) + ". "; }

 private:
  Task<std::optional<Response>> wait() {
    co_await asio::post(asio::use_awaitable_t<LoopExecutor>{});
    seen_ += "waited. ";
    if (throws_) throw std::bad_alloc();
    co_return std::nullopt;
  }
  std::string& seen_;
  const bool throws_;
};

Task<Response> throw_at_once(Exchange&) {
  throw std::runtime_error("an internal name");
  co_return Response();
}

class ServiceTest : public testing::Test {
 protected:
  Response ask(std::vector<std::shared_ptr<Middleware>> middleware) {
    RoutedService service({{.method = Method::kGet, .pattern = "/x", .handler = throw_at_once}}, std::move(middleware));
    TextBody nothing("");
    Request request;
    request.set_target("/x");
    request.body = &nothing;
    std::optional<Response> answer;
    asio::co_spawn(loop.io(), service.serve(request), [&answer](std::exception_ptr error, Response response) {
      if (!error) answer.emplace(std::move(response));
    });
    loop.io().run();
    return std::move(answer.value());
  }
  EventLoop loop{0};
  std::string seen;
};

TEST_F(ServiceTest, AHandlerThatThrowsBehindAStepThatWaitedIs500AndTheStepHearsOfIt) {
  const Response answer = ask({std::make_shared<Waiting>(seen), std::make_shared<Waiting>(seen)});
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("internal name"), std::string::npos);
  EXPECT_EQ(seen, "waited. waited. after 500. after 500. ");
}

TEST_F(ServiceTest, AStepThatThrowsWhileItWaitsIs500AndNoneBehindItRuns) {
  const Response answer = ask({std::make_shared<Waiting>(seen, true), std::make_shared<Waiting>(seen)});
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(seen, "waited. after 500. ");
}

}  // namespace
}  // namespace parley::http
