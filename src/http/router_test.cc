#include "http/router.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

Route route(Method method, std::string pattern) {
  return {method, std::move(pattern), nullptr};
}

Router make_router() {
  return Router({route(Method::kGet, "/things"), route(Method::kPost, "/things"), route(Method::kGet, "/things/{id}"),
                 route(Method::kGet, "/things/mine"), route(Method::kDelete, "/things/{id}/parts/{part}"),
                 route(Method::kGet, "/files/{path*}")});
}

TEST(Router, FindsByMethodAndPathAndDecodesParameters) {
  const Router router = make_router();
  PathParameters parameters;
  const auto match = router.find(Method::kDelete, "/things/a%2Fb/parts/%F0%9F%98%80", parameters);
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->pattern, "/things/{id}/parts/{part}");
  EXPECT_EQ(parameters.at("id"), "a/b");
  EXPECT_EQ(parameters.at("part"), "\xf0\x9f\x98\x80");
}

TEST(Router, PrefersALiteralToAParameter) {
  const Router router = make_router();
  PathParameters parameters;
  EXPECT_EQ(router.find(Method::kGet, "/things/mine", parameters).route->pattern, "/things/mine");
}

TEST(Router, AnswersHeadWithTheRouteOfGet) {
  const Router router = make_router();
  PathParameters parameters;
  ASSERT_NE(router.find(Method::kHead, "/things", parameters).route, nullptr);
  EXPECT_EQ(router.find(Method::kHead, "/things", parameters).route->method, Method::kGet);
}

TEST(Router, LetsAPathHaveItsOwnHead) {
  const Router router({{Method::kHead, "/x", {}}, {Method::kGet, "/y", {}}, {Method::kHead, "/y", {}}});
  for (const char* path : {"/x", "/y"}) {
    PathParameters parameters;
    ASSERT_NE(router.find(Method::kHead, path, parameters).route, nullptr);
    EXPECT_EQ(router.find(Method::kHead, path, parameters).route->method, Method::kHead);
  }
  PathParameters parameters;
  EXPECT_EQ(router.find(Method::kGet, "/x", parameters).allowed, (std::vector<Method>{Method::kHead}));
}

TEST(Router, TellsWhichMethodsAPathTakes) {
  const Router router = make_router();
  PathParameters parameters;
  const auto match = router.find(Method::kPut, "/things", parameters);
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allowed, (std::vector<Method>{Method::kGet, Method::kHead, Method::kPost}));
}

TEST(Router, TakesTheRestRaw) {
  const Router router = make_router();
  PathParameters parameters;
  ASSERT_NE(router.find(Method::kGet, "/files/a%20b/c", parameters).route, nullptr);
  EXPECT_EQ(parameters.at("path"), "a%20b/c");
}

TEST(Router, MatchesNothingElse) {
  const Router router = make_router();
  for (const char* path : {"", "things", "/", "/thing", "/things/", "/things//parts/x", "/things/a/b", "/things/%zz",
                           "/things/%ff", "/things/a/parts/b/c", "//things"}) {
    PathParameters parameters;
    const auto match = router.find(Method::kGet, path, parameters);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_TRUE(match.allowed.empty()) << path;
  }
}

}  // namespace
}  // namespace parley::http
