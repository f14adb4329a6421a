#include "auth/auth_middleware.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json/parse.hpp>

#include "auth/internal_token.h"
#include "auth/testing/tokens.h"

namespace parley::auth {
namespace {

using http::Method;
using testing::claims_at;
using testing::key_for;
using testing::sign;
namespace json = boost::json;

const Secret kInternalKey("0123456789abcdef0123456789abcdef");

Task<http::Response> whoami(http::Exchange& exchange) {
  if (exchange.from_role) co_return http::text_response(200, "text/plain", exchange.caller ? "both" : "a role");
  const Caller* caller = exchange.caller.get();
  co_return http::text_response(200, "text/plain", caller ? caller->tenant.value + "/" + caller->user.value : "nobody");
}

class AuthMiddlewareTest : public ::testing::Test {
 protected:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  void SetUp() override { loops.start(); }

  http::Response get(std::string_view path, const Headers& headers, Method method = Method::kGet) {
    http::Request request;
    request.method = method;
    request.method_text = http::to_string(method);
    request.set_target(path);
    for (const auto& [name, value] : headers) request.fields.add(name, value);
    http::TextBody body("");
    request.body = &body;
    return asio::co_spawn(loops.at(0).io(), asked->serve(request), asio::use_future).get();
  }
  http::Response get_with(const std::string& token) { return get("/whoami", {{"Authorization", "Bearer " + token}}); }
  std::string good_token() { return sign(key, claims_at(clock.wall_now())); }
  std::string service_token() {
    json::object claims = claims_at(clock.wall_now());
    claims["roles"] = json::array{"service"};
    return sign(key, claims);
  }

  std::string internal_token(std::string_view audience = "messaging") {
    return sign_internal_token(kInternalKey, audience, clock.wall_now() + kInternalTokenLife);
  }
  http::Response get_internal(const std::string& token) {
    return get("/internal/x", {{"Authorization", "Bearer " + token}});
  }

  static std::string code_of(const http::Response& response) {
    return std::string(json::parse(response.body).at("code").as_string());
  }
  static void expect_unauthorized(const http::Response& response, std::string_view code = "unauthorized") {
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(code_of(response), code);
    EXPECT_TRUE(response.headers.find("WWW-Authenticate").value_or("").starts_with("Bearer"));
    EXPECT_EQ(response.headers.find("Content-Type"), "application/problem+json");
  }

  const SigningKey& key = key_for(Algorithm::kEs256);
  ManualClock clock;
  KeyRing ring{key.public_keys().value()};
  Authenticator authenticator{{}, ring, nullptr, clock, 1};
  http::RoutedService service{
      {{Method::kGet, "/whoami", whoami},
       {Method::kPost, "/whoami", whoami},
       {Method::kGet, "/health", whoami, http::Access::kOpen},
       {Method::kGet, "/internal/x", whoami, http::Access::kInternal},
       {Method::kGet, "/signed", whoami, http::Access::kTokenOrSigned}},
      {std::make_shared<AuthMiddleware>(authenticator, InternalAccess{kInternalKey, "messaging", clock})}};
  http::RoutedService* asked = &service;
  EventLoops loops{1};
};

TEST_F(AuthMiddlewareTest, SetsTheCallerOfAGoodToken) {
  for (int round = 0; round < 2; ++round) {
    const auto response = get_with(good_token());
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "acme/u1");
  }
}

TEST_F(AuthMiddlewareTest, TakesTheSchemeInAnyCaseAndSeveralSpaces) {
  EXPECT_EQ(get("/whoami", {{"authorization", "bEARER   " + good_token()}}).status, 200);
}

TEST_F(AuthMiddlewareTest, AnOpenRouteAsksNothingAndLearnsNothing) {
  EXPECT_EQ(get("/health", {}).body, "nobody");
  EXPECT_EQ(get("/health", {{"Authorization", "Bearer garbage"}}).body, "nobody");
}

TEST_F(AuthMiddlewareTest, WithoutATokenEverythingElseIs401EvenWhatDoesNotExist) {
  expect_unauthorized(get("/whoami", {}));
  expect_unauthorized(get("/nothing/here", {}));
  expect_unauthorized(get("/whoami", {}, Method::kDelete));
  expect_unauthorized(get("/whoami", {}, Method::kOptions));
  expect_unauthorized(get("/health", {}, Method::kPost));
  EXPECT_EQ(get("/nothing/here", {{"Authorization", "Bearer " + good_token()}}).status, 404);
  EXPECT_EQ(get("/whoami", {{"Authorization", "Bearer " + good_token()}}, Method::kDelete).status, 405);
}

TEST_F(AuthMiddlewareTest, SaysInvalidTokenOnlyWhenOneWasSent) {
  EXPECT_EQ(get("/whoami", {}).headers.find("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(get_with("garbage").headers.find("WWW-Authenticate"), R"(Bearer error="invalid_token")");
}

TEST_F(AuthMiddlewareTest, RefusesOtherSchemesAndMalformedFields) {
  const std::string token = good_token();
  for (const std::string& value : {std::string(), std::string("Bearer"), std::string("Bearer "), "Basic " + token,
                                   token, "Bearer" + token, "Bearer " + token + ", Bearer " + token,
                                   "Bearer " + token + " x", "Bearer \t" + token, std::string("Bearer   ")}) {
    expect_unauthorized(get("/whoami", {{"Authorization", value}}));
  }
}

TEST_F(AuthMiddlewareTest, RefusesTwoAuthorizationFields) {
  const std::string value = "Bearer " + good_token();
  expect_unauthorized(get("/whoami", {{"Authorization", value}, {"Authorization", value}}));
}

TEST_F(AuthMiddlewareTest, RefusesATokenInTheQuery) {
  expect_unauthorized(get("/whoami?access_token=" + good_token(), {}));
}

TEST_F(AuthMiddlewareTest, TellsAnExpiredTokenFromABadOne) {
  const std::string token = good_token();
  clock.advance(std::chrono::hours(2));
  expect_unauthorized(get_with(token), "token_expired");
  const SigningKey other = SigningKey::generate(Algorithm::kEs256).value();
  expect_unauthorized(get_with(sign(other, claims_at(clock.wall_now()))));
}

TEST_F(AuthMiddlewareTest, AServiceActsForTheUserItNames) {
  EXPECT_EQ(get("/whoami", {{"Authorization", "Bearer " + service_token()}, {"x-parley-user", "irc%3Aann"}}).body,
            "acme/irc:ann");
}

TEST_F(AuthMiddlewareTest, AnyoneElseWhoNamesAUserIs403) {
  const auto response = get("/whoami", {{"Authorization", "Bearer " + good_token()}, {"X-Parley-User", "u2"}});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(code_of(response), "forbidden");
}

TEST_F(AuthMiddlewareTest, NamingTwoUsersOrNoneIs400) {
  const std::string value = "Bearer " + service_token();
  for (const Headers& users :
       {Headers{{"X-Parley-User", "a"}, {"X-Parley-User", "b"}}, Headers{{"X-Parley-User", ""}}}) {
    Headers headers{{"Authorization", value}};
    headers.insert(headers.end(), users.begin(), users.end());
    const auto response = get("/whoami", headers);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(json::parse(response.body).at("errors").at(0).at("path"), "header.X-Parley-User");
  }
}

TEST_F(AuthMiddlewareTest, ASignedAddressGoesOnWithoutACaller) {
  for (const char* path :
       {"/signed?signature=abc", "/signed?a=b&signature=abc", "/signed?signature=", "/signed?signature"}) {
    const auto response = get(path, {});
    EXPECT_EQ(response.status, 200) << path;
    EXPECT_EQ(response.body, "nobody") << path;
  }
  EXPECT_EQ(get("/signed?signature=abc", {{"X-Parley-User", "u2"}}).body, "nobody");
}

TEST_F(AuthMiddlewareTest, WithATokenASignedAddressIsLikeAnyOther) {
  EXPECT_EQ(get("/signed", {{"Authorization", "Bearer " + good_token()}}).body, "acme/u1");
  EXPECT_EQ(get("/signed?signature=abc", {{"Authorization", "Bearer " + good_token()}}).body, "acme/u1");
  for (const std::string& bad : {std::string("Bearer bad"), std::string("Basic YTpi"), std::string(),
                                 "Bearer " + internal_token(), "Bearer " + internal_token("media")}) {
    expect_unauthorized(get("/signed?signature=abc", {{"Authorization", bad}}));
  }
  expect_unauthorized(get("/signed?signature=abc",
                          {{"Authorization", "Bearer " + good_token()}, {"Authorization", "Bearer " + good_token()}}));
  EXPECT_EQ(get("/signed?signature=abc", {{"Authorization", "Bearer " + good_token()}, {"X-Parley-User", "u2"}}).status,
            403);
}

TEST_F(AuthMiddlewareTest, WithNeitherATokenNorASignatureItIs401) {
  for (const char* path : {"/signed", "/signed?", "/signed?Signature=a", "/signed?xsignature=a", "/signed?a=signature",
                           "/signed?%73ignature=a"}) {
    expect_unauthorized(get(path, {}));
  }
}

TEST_F(AuthMiddlewareTest, ASignatureOpensNoOtherRoute) {
  expect_unauthorized(get("/whoami?signature=abc", {}));
  expect_unauthorized(get("/internal/x?signature=abc", {}));
  expect_unauthorized(get("/nothing?signature=abc", {}));
  expect_unauthorized(get("/signed?signature=abc", {}, Method::kPost));
}

TEST_F(AuthMiddlewareTest, AnInternalRouteTakesARoleOfItsOwnAudience) {
  const auto response = get_internal(internal_token());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "a role");
}

TEST_F(AuthMiddlewareTest, AnInternalRouteTakesNothingElse) {
  expect_unauthorized(get("/internal/x", {}));
  expect_unauthorized(get_internal("garbage"));
  expect_unauthorized(get_internal(good_token()));
  expect_unauthorized(get_internal(service_token()));
  expect_unauthorized(get_internal(internal_token("search")));
  expect_unauthorized(get_internal(internal_token() + "x"));
  expect_unauthorized(get("/internal/x", {{"Authorization", "Basic " + internal_token()}}));
  const std::string old = internal_token();
  clock.advance(kInternalTokenLife);
  expect_unauthorized(get_internal(old), "token_expired");
}

TEST_F(AuthMiddlewareTest, AnInternalTokenStandsForNobodyElsewhere) {
  expect_unauthorized(get_with(internal_token()));
  expect_unauthorized(get("/whoami", {{"Authorization", "Bearer " + internal_token()}, {"X-Parley-User", "u1"}}));
  expect_unauthorized(get("/nothing/here", {{"Authorization", "Bearer " + internal_token()}}));
  EXPECT_EQ(get("/health", {{"Authorization", "Bearer " + internal_token()}}).body, "nobody");
}

TEST_F(AuthMiddlewareTest, ARoleWithoutAnInternalKeyTakesNoInternalCall) {
  http::RoutedService keyless({{Method::kGet, "/internal/x", whoami, http::Access::kInternal}},
                              {std::make_shared<AuthMiddleware>(authenticator)});
  asked = &keyless;
  expect_unauthorized(get_internal(internal_token()));
  expect_unauthorized(get_internal(good_token()));
}

}  // namespace
}  // namespace parley::auth
