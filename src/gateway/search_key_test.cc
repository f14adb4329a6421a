#include "gateway/search_key.h"

#include <gtest/gtest.h>

#include <set>

namespace parley::gateway {
namespace {

class SearchKeyTest : public ::testing::Test {
 protected:
  std::optional<SearchKey> key(std::string_view target) {
    request.method_text = to_string(request.method);
    request.set_target(target);
    return search_key(caller, request);
  }
  std::string text(std::string_view target) {
    const auto made = key(target);
    EXPECT_TRUE(made) << target;
    return made ? made->text : std::string();
  }

  Caller caller{.tenant = TenantId("acme"), .user = UserId("ada")};
  http::TextBody nothing{""};
  http::Request request{.method = http::Method::kGet, .body = &nothing};
};

TEST_F(SearchKeyTest, SpellingsOfOneQueryMeet) {
  const std::string one = text("/v1/search/messages?q=caf%C3%A9&limit=20");
  EXPECT_EQ(text("/v1/search/messages?limit=20&q=caf%C3%A9"), one);
  EXPECT_EQ(text("/v1/search/messages?q=a+b"), text("/v1/search/messages?q=a%20b"));
  EXPECT_EQ(text("/v1/search/messages?&&limit=%32%30&&q=%63af%c3%a9&"), one);
}

TEST_F(SearchKeyTest, DifferentQueriesNeverMeet) {
  std::set<std::string> keys;
  const std::vector<std::string> targets = {"/v1/search/messages",
                                            "/v1/search/messages?q=a",
                                            "/v1/search/messages?q=A",
                                            "/v1/search/messages?q=a%2Bb",
                                            "/v1/search/messages?q=a%20b",
                                            "/v1/search/messages?q=b%20a",
                                            "/v1/search/messages?q=",
                                            "/v1/search/messages?q",
                                            "/v1/search/messages?q=a&limit=2",
                                            "/v1/search/messages?q=a%26b=c",
                                            "/v1/search/messages?q=a&b=c",
                                            "/v1/search/messages?qa=",
                                            "/v1/search/users?q=a",
                                            "/v1/search?q=a",
                                            "/v1/search/messages?q=a&from=b",
                                            "/v1/search/messages?q=a%00b",
                                            "/v1/search/messages?q=a%01b",
                                            "/v1/search/messages?from=a",
                                            "/v1/search/messages?q=%C3%A9",
                                            "/v1/search/messages?q=e%CC%81"};
  for (const std::string& target : targets) keys.insert(text(target));
  EXPECT_EQ(keys.size(), targets.size() - 1);  // q= and q are the same to search
}

TEST_F(SearchKeyTest, NobodyMeetsAnother) {
  std::set<std::string> keys;
  const std::vector<Caller> callers = {
      {.tenant = TenantId("acme"), .user = UserId("ada")},
      {.tenant = TenantId("acme"), .user = UserId("bob")},
      {.tenant = TenantId("other"), .user = UserId("ada")},
      {.tenant = TenantId("acm"), .user = UserId("eada")},
      {.tenant = TenantId("acmea"), .user = UserId("da")},
      {.tenant = TenantId("acme"), .user = UserId("ada"), .roles = {.admin = true}},
      {.tenant = TenantId("acme"), .user = UserId("ada"), .roles = {.service = true}},
      {.tenant = TenantId("acme"), .user = UserId("ada"), .roles = {.admin = true, .service = true}}};
  for (const Caller& one : callers) {
    caller = one;
    keys.insert(text("/v1/search/messages?q=a"));
  }
  EXPECT_EQ(keys.size(), callers.size());
}

TEST_F(SearchKeyTest, TellsWhatIsSoughtAndWhetherItIsAFirstPage) {
  const auto first = key("/v1/search/messages?q=a%20b%2B");
  EXPECT_EQ(first->q, "a b+");
  EXPECT_FALSE(first->continues);
  EXPECT_TRUE(key("/v1/search/messages?q=a&cursor=x")->continues);
  EXPECT_EQ(key("/v1/search/messages?from=bob")->q, "");
}

TEST_F(SearchKeyTest, WhatSearchMustSeeHasNone) {
  EXPECT_FALSE(key("/v1/search/messages?q=a&min_position=x"));
  EXPECT_FALSE(key("/v1/search/messages?min_position"));
  EXPECT_FALSE(key("/v1/search/messages?min%5Fposition=x&q=a"));
  EXPECT_FALSE(key("/v1/search/messages?q=a&q=b"));
  EXPECT_FALSE(key("/v1/search/messages?q=a&%71=a"));
  EXPECT_FALSE(key("/v1/search/messages?q=%"));
  EXPECT_FALSE(key("/v1/search/messages?q=%4"));
  EXPECT_FALSE(key("/v1/search/messages?%zz=1"));
  EXPECT_FALSE(key("/v1/search/messages?q=%ff"));
  EXPECT_FALSE(key("/v1/search/messages?q=" + std::string(1025, 'a')));
  EXPECT_TRUE(key("/v1/search/messages?q=" + std::string(1024, 'a')));
  EXPECT_FALSE(key("/v1/search/messages?from=" + std::string(4096, 'a')));
  std::string many = "/v1/search/messages?q=a";
  for (int i = 0; i < 15; ++i) many.append("&x").append(std::to_string(i)).append("=1");
  EXPECT_TRUE(key(many));
  EXPECT_FALSE(key(many + "&y=1"));
}

TEST_F(SearchKeyTest, WhatIsNoPlainGetHasNone) {
  for (const auto method : {http::Method::kHead, http::Method::kPost, http::Method::kDelete, http::Method::kOther}) {
    request.method = method;
    EXPECT_FALSE(key("/v1/search/messages?q=a"));
  }
  request.method = http::Method::kGet;
  http::TextBody body("{}");
  request.body = &body;
  EXPECT_FALSE(key("/v1/search/messages?q=a"));
}

TEST_F(SearchKeyTest, AClientMayAskPastCaches) {
  for (const char* wish : {"no-cache", "no-store", "max-age=0, no-cache"}) {
    request.fields.clear();
    request.fields.add("Cache-Control", wish);
    EXPECT_FALSE(key("/v1/search/messages?q=a")) << wish;
  }
  request.fields.clear();
  request.fields.add("Cache-Control", "max-age=60");
  EXPECT_TRUE(key("/v1/search/messages?q=a"));
}

}  // namespace
}  // namespace parley::gateway
