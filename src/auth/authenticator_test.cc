#include "auth/authenticator.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>

#include "auth/testing/tokens.h"

namespace parley::auth {
namespace {

using testing::claims_at;
using testing::header_of;
using testing::key_for;
using testing::sign;
namespace json = boost::json;

// Static keys: no refresher. Everything runs on a loop of its own, as in the server.
class AuthenticatorTest : public ::testing::Test {
 protected:
  void SetUp() override { loops.start(); }

  template <class T>
  T on_loop(std::function<T()> fn) {
    std::promise<T> answer;
    loops.at(0).post([&] { answer.set_value(fn()); });
    return answer.get_future().get();
  }
  Authenticator::Answer authenticate(const std::string& token, std::optional<std::string> acting_for = {}) {
    return on_loop<Authenticator::Answer>([&] { return authenticator.try_authenticate(token, acting_for).value(); });
  }
  bool is_cached(const std::string& token) {
    return on_loop<bool>([&] { return authenticator.cached(token) != nullptr; });
  }
  std::string token_of(json::array roles, const char* user = "u1") {
    json::object claims = claims_at(clock.wall_now());
    claims["sub"] = user;
    claims["roles"] = std::move(roles);
    claims["name"] = "Robot";
    return sign(key, claims);
  }

  const SigningKey& key = key_for(Algorithm::kEs256);
  ManualClock clock;
  KeyRing ring{key.public_keys().value()};
  Authenticator authenticator{{}, ring, nullptr, clock, 1};
  EventLoops loops{1};
};

TEST_F(AuthenticatorTest, AnswersTheCallerAndRemembersIt) {
  const std::string token = sign(key, claims_at(clock.wall_now()));
  EXPECT_FALSE(is_cached(token));
  const auto first = authenticate(token), second = authenticate(token);
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*first)->user, UserId("u1"));
  EXPECT_EQ(first->get(), second->get());
  EXPECT_TRUE(is_cached(token));
}

TEST_F(AuthenticatorTest, WorksOnAThreadThatIsNoLoop) {
  const std::string token = sign(key, claims_at(clock.wall_now()));
  EXPECT_TRUE(authenticator.try_authenticate(token, {}).value());
  EXPECT_EQ(authenticator.cached(token), nullptr);
}

TEST_F(AuthenticatorTest, ACachedTokenExpiresWithItsLeeway) {
  const std::string token = sign(key, claims_at(clock.wall_now()));
  ASSERT_TRUE(authenticate(token));
  clock.advance(std::chrono::seconds(3659));
  EXPECT_TRUE(is_cached(token));
  clock.advance(std::chrono::seconds(1));
  EXPECT_FALSE(is_cached(token));
  EXPECT_EQ(authenticate(token).error().code, "token_expired");
}

TEST_F(AuthenticatorTest, AChangeOfKeysForgetsEveryVerifiedToken) {
  const std::string token = sign(key, claims_at(clock.wall_now()));
  ASSERT_TRUE(authenticate(token));
  ring.replace(SigningKey::generate(Algorithm::kEs256)->public_keys().value());
  EXPECT_FALSE(is_cached(token));
  EXPECT_EQ(authenticate(token).error().code, "unauthorized");
  ring.replace(key.public_keys().value());
  EXPECT_TRUE(authenticate(token));
}

TEST_F(AuthenticatorTest, RefusalsAreNotRemembered) {
  const SigningKey other = SigningKey::generate(Algorithm::kEs256).value();
  const std::string token = sign(other, claims_at(clock.wall_now()));
  EXPECT_EQ(authenticate(token).error().code, "unauthorized");
  EXPECT_FALSE(is_cached(token));
}

TEST_F(AuthenticatorTest, SaysOfAnUnknownKeyThatItIsUnknownAndNoMore) {
  const SigningKey other = SigningKey::generate(Algorithm::kEs256).value();
  const auto detail_of = [this](const std::string& token) { return authenticate(token).error().detail; };
  json::object header = header_of(other);
  header["kid"] = "retired-2025";
  EXPECT_EQ(detail_of(sign(other, header, claims_at(clock.wall_now()))),
            "The token names a key (kid) that is not known here.");
  header["kid"] = key.kid();
  EXPECT_EQ(detail_of(sign(other, header, claims_at(clock.wall_now()))), "The token's signature is not right.");
  ring.replace(KeySet());
  header.erase("kid");
  EXPECT_EQ(detail_of(sign(other, header, claims_at(clock.wall_now()))),
            "There is no key here that the token could be verified with.");
}

TEST_F(AuthenticatorTest, AServiceTokenActsForTheUserItNames) {
  const std::string token = token_of({"service"}, "bridge");
  const auto plain = authenticate(token);
  ASSERT_TRUE(plain);
  EXPECT_EQ((*plain)->user, UserId("bridge"));
  EXPECT_EQ((*plain)->name, "Robot");
  for (int round = 0; round < 2; ++round) {  // verified, then cached
    const auto acting = authenticate(token, "irc%3Anick%20%E6%BC%A2");
    ASSERT_TRUE(acting);
    EXPECT_EQ((*acting)->user, UserId("irc:nick 漢"));
    EXPECT_EQ((*acting)->tenant, TenantId("acme"));
    EXPECT_TRUE((*acting)->roles.service);
    EXPECT_EQ((*acting)->name, "");
  }
  EXPECT_EQ((*authenticate(token))->user, UserId("bridge"));
}

TEST_F(AuthenticatorTest, NobodyElseMayNameAUserNotEvenItself) {
  for (const json::array& roles : {json::array{}, json::array{"user"}, json::array{"admin"}}) {
    const auto answer = authenticate(token_of(roles), "u1");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, ErrorKind::kForbidden);
    EXPECT_EQ(answer.error().code, "forbidden");
  }
}

TEST_F(AuthenticatorTest, AServiceMustNameAValidUser) {
  const std::string token = token_of({"service"});
  for (const std::string& user : {std::string(), std::string("%"), std::string("%zz"), std::string("a%00b"),
                                  std::string("%ff"), std::string("."), std::string("%2e%2E"), std::string(129, 'a')}) {
    const auto answer = authenticate(token, user);
    ASSERT_FALSE(answer) << user;
    EXPECT_EQ(answer.error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(answer.error().fields.at(0).path, "header.X-Parley-User");
  }
}

TEST_F(AuthenticatorTest, AnUnsignedTokenOfAServiceIsRefusedBeforeItsUserIsLookedAt) {
  const SigningKey other = SigningKey::generate(Algorithm::kEs256).value();
  json::object claims = claims_at(clock.wall_now());
  claims["roles"] = json::array{"service"};
  EXPECT_EQ(authenticate(sign(other, claims), "u9").error().kind, ErrorKind::kUnauthenticated);
}

}  // namespace
}  // namespace parley::auth
