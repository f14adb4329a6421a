#include "http/cursor_scope.h"

#include <gtest/gtest.h>

namespace parley::http {
namespace {

const Caller kAda{TenantId("acme"), UserId("ada"), {}, {}};

TEST(CursorScope, OpensWithAnEqualScope) {
  const CursorScope scope("list_messages", kAda, {"c1", "asc"});
  EXPECT_EQ(CursorScope("list_messages", kAda, {"c1", "asc"}).open(scope.seal("payload")), "payload");
}

TEST(CursorScope, IsBoundToOperationTenantUserAndParameters) {
  const std::string cursor = CursorScope("list_messages", kAda, {"c1", "asc"}).seal("payload");
  Caller other_tenant = kAda, other_user = kAda;
  other_tenant.tenant = TenantId("umbrella");
  other_user.user = UserId("eve");
  for (const CursorScope& scope :
       {CursorScope("list_replies", kAda, {"c1", "asc"}), CursorScope("list_messages", other_tenant, {"c1", "asc"}),
        CursorScope("list_messages", other_user, {"c1", "asc"}), CursorScope("list_messages", kAda, {"c2", "asc"}),
        CursorScope("list_messages", kAda, {"c1", "desc"}), CursorScope("list_messages", kAda, {"c1a", "sc"}),
        CursorScope("list_messages", kAda, {"c1", "asc", ""})}) {
    EXPECT_EQ(scope.open(cursor).error().code, "invalid_cursor");
  }
}

TEST(CursorScope, RefusesEverythingThatItDidNotMake) {
  const CursorScope scope("list_messages", kAda, {"c1"});
  const std::string good = scope.seal("n42:");
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bent = good;
    bent[i] = bent[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(scope.open(bent).has_value()) << i;
    EXPECT_FALSE(scope.open(good.substr(0, i)).has_value()) << i;
  }
  for (const char* bad : {"", "x", "====", "not a cursor", "bjQyOg"}) EXPECT_FALSE(scope.open(bad).has_value()) << bad;
  EXPECT_FALSE(scope.open(good + "A").has_value());
}

}  // namespace
}  // namespace parley::http
