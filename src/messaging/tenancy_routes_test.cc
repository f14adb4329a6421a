// The table of routes as a whole: it is the contract's, and none of its routes lets a tenant see another, a stranger
// see a conversation, or anybody in without a token. Driven by the table: a new operation without an example fails
// here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "messaging/testing/messaging_fixture.h"

namespace parley::messaging {
namespace {

using testing::Answer;
using ::testing::HasSubstr;
using testing::HeaderList;
using ::testing::Not;

// What tenant umbrella gets for asking for what stands in tenant acme under the very ids asked for.
enum class Sees { kNotFound, kEmptyList, kNothing, kOwn };

struct Example {
  Sees sees = Sees::kNotFound;
  std::string body;
  const char* content_type = "application/json";
};

const std::map<std::string, Example>& examples() {
  static const std::map<std::string, Example> all = {
      {"send_message", {Sees::kNotFound, R"({"conversation_id":"c1","content":"x"})"}},
      {"list_messages", {}},
      {"get_message", {}},
      {"edit_message", {Sees::kNotFound, R"({"content":"x"})"}},
      {"delete_message", {}},
      {"get_message_history", {}},
      {"list_replies", {}},
      {"add_reaction", {Sees::kNotFound, R"({"reaction":"x"})"}},
      {"remove_reaction", {}},
      {"create_conversation", {Sees::kOwn, R"({"id":"c1","name":"mine"})"}},
      {"list_conversations", {Sees::kEmptyList, ""}},
      {"get_conversation", {}},
      {"update_conversation", {Sees::kNotFound, R"({"name":"x"})"}},
      {"delete_conversation", {}},
      {"set_read_mark", {Sees::kNotFound, R"({"seq":1})"}},
      {"import_messages",
       {Sees::kNotFound, R"({"external_id":"1","author":"irc:a","content":"x","created_at":"2004-11-15T10:02:00Z"})",
        "application/x-ndjson"}},
      {"add_member", {Sees::kNotFound, R"({"user_id":"mallory"})"}},
      {"list_members", {}},
      {"remove_member", {}},
      {"set_member_role", {Sees::kNotFound, R"({"role":"owner"})"}},
      {"get_own_profile", {Sees::kOwn, ""}},
      {"update_own_profile", {Sees::kOwn, R"({"name":"mine"})"}},
      {"get_user", {}},
      {"get_scope", {Sees::kNothing, ""}},
      {"look_up", {Sees::kNothing, R"({"conversations":["c1"],"users":["bob"]})"}},
  };
  return all;
}

class MessagingTable : public testing::MessagingFixture {
 protected:
  void SetUp() override {
    const Answer made = client("ada").post(
        "/conversations",
        R"({"id":"c1","name":"acme-secret","topic":"acme-secret","imported":false,"members":["bob"]})");
    ASSERT_EQ(made.status, 201) << made.body;
    message_ = std::string(say("c1", "acme-secret").at("id").as_string());
    ASSERT_EQ(client("ada").put("/users/me", R"({"name":"acme-secret"})").status, 200);
    ASSERT_EQ(client("bob").post("/messages/" + message_ + "/reactions", R"({"reaction":"acme-secret"})").status, 201);
  }

  std::string target_of(const http::Route& route) const {
    std::string target = route.pattern;
    const std::pair<const char*, std::string> values[] = {
        {"{conversation_id}", "c1"}, {"{message_id}", message_}, {"{user_id}", "ada"}, {"{reaction}", "acme-secret"}};
    for (const auto& [name, value] : values) {
      if (const auto at = target.find(name); at != std::string::npos)
        target.replace(at, std::string_view(name).size(), value);
    }
    EXPECT_EQ(target.find('{'), std::string::npos) << "no value for a parameter of " << target;
    return target;
  }
  Answer ask(testing::ServiceClient who, const http::Route& route) const {
    const auto example = examples().find(route.operation_id);
    if (example == examples().end()) {
      ADD_FAILURE() << "operation " << route.operation_id << " has no example in this test";
      return {};
    }
    HeaderList headers;
    if (!example->second.body.empty()) headers.emplace_back("Content-Type", example->second.content_type);
    return who.send(route.method, target_of(route), example->second.body, headers);
  }
  std::vector<http::Route> token_routes() const {
    std::vector<http::Route> routes;
    for (const auto& route : routes_) {
      if (route.access == http::Access::kToken) routes.push_back(route);
    }
    return routes;
  }

  std::string message_;
};

TEST_F(MessagingTable, HasExactlyTheOperationsOfTheContract) {
  const auto contract = messaging_contract();
  std::set<std::string> in_contract, in_table;
  for (const auto& operation : contract->operations()) in_contract.insert(operation.id);
  for (const auto& route : routes_) {
    if (route.operation_id.empty()) {
      EXPECT_EQ(route.access, http::Access::kOpen) << route.pattern << " is outside the contract";
      EXPECT_THAT(route.pattern, ::testing::AnyOf("/docs/", "/docs/{file}"));
      continue;
    }
    EXPECT_TRUE(in_table.insert(route.operation_id).second) << route.operation_id;
    const auto& operation = contract->at(route.operation_id);
    EXPECT_EQ(route.method, operation.method) << route.operation_id;
    EXPECT_EQ(route.pattern, operation.pattern);
    EXPECT_EQ(route.access, operation.access) << route.operation_id;
  }
  EXPECT_EQ(in_table, in_contract);
}

TEST_F(MessagingTable, AnotherTenantSeesNothing) {
  // The same user ids in the other tenant, with all the power it can have there.
  for (const char* roles : {"", "admin", "service", "admin,service"}) {
    for (const http::Route& route : token_routes()) {
      const Sees sees =
          examples().contains(route.operation_id) ? examples().at(route.operation_id).sees : Sees::kNotFound;
      if (route.operation_id == "create_conversation") continue;  // makes c1 theirs; see below
      const Answer answer = ask(client("ada", "umbrella", roles), route);
      EXPECT_THAT(answer.body, Not(HasSubstr("acme-secret"))) << route.operation_id;
      EXPECT_THAT(answer.headers.text(), Not(HasSubstr("acme-secret"))) << route.operation_id;
      switch (sees) {
        case Sees::kNotFound:
          // Its own profile is the one thing of those ids that exists there, once it has asked.
          if (route.operation_id == "get_user") break;
          EXPECT_EQ(answer.status, 404) << route.operation_id << answer.body;
          break;
        case Sees::kEmptyList:
          EXPECT_EQ(answer.body, R"({"items":[],"next_cursor":null})") << route.operation_id;
          break;
        case Sees::kNothing:
          EXPECT_THAT(answer.body, ::testing::AnyOf(R"({"conversations":[],"complete":true})",
                                                    R"({"messages":[],"conversations":[],"users":[]})"))
              << route.operation_id;
          break;
        case Sees::kOwn:
          EXPECT_LT(answer.status, 300) << route.operation_id << answer.body;
      }
    }
  }
  EXPECT_EQ(client("eve", "umbrella").get("/users/bob").status, 404);
  const Answer own = client("ada", "umbrella").post("/conversations", R"({"id":"c1","name":"mine"})");
  EXPECT_EQ(own.status, 201);
  EXPECT_EQ(own.json().at("last_seq"), 0);
}

TEST_F(MessagingTable, NothingIsChangedByAnotherTenant) {
  const auto state = [this] {
    return client("ada").get("/conversations/c1").body + client("ada").get("/messages/" + message_).body +
           client("ada").get("/users/ada").body + client("ada").get("/conversations/c1/members").body;
  };
  const std::string before = state();
  for (const http::Route& route : token_routes()) ask(client("ada", "umbrella", "admin,service"), route);
  EXPECT_EQ(state(), before);
}

TEST_F(MessagingTable, AStrangerOfTheSameTenantGets404ForWhatIsNotItsOwn) {
  for (const http::Route& route : token_routes()) {
    if (route.pattern.find("{conversation_id}") == std::string::npos &&
        route.pattern.find("{message_id}") == std::string::npos && route.operation_id != "send_message") {
      continue;
    }
    const Answer answer = ask(client("eve"), route);
    EXPECT_EQ(answer.status, 404) << route.operation_id << answer.body;
    EXPECT_EQ(answer.code(), "not_found") << route.operation_id;
    EXPECT_THAT(answer.body, Not(HasSubstr("acme-secret"))) << route.operation_id;
  }
}

TEST_F(MessagingTable, NobodyComesInWithoutACaller) {
  for (const http::Route& route : token_routes()) {
    const Answer answer = ask(anonymous(), route);
    EXPECT_EQ(answer.status, 401) << route.operation_id;
    EXPECT_EQ(answer.header("Cache-Control"), "no-store") << route.operation_id;
  }
}

TEST_F(MessagingTable, AnInternalRouteIsForNoUserWhateverItsRights) {
  std::size_t found = 0;
  for (const http::Route& route : routes_) {
    if (route.access != http::Access::kInternal) continue;
    ++found;
    EXPECT_TRUE(route.pattern.starts_with("/internal/")) << route.pattern;
    for (const char* roles : {"", "admin", "service", "admin,service"}) {
      const Answer answer = client("ada", "acme", roles).send(route.method, route.pattern, {});
      EXPECT_EQ(answer.status, 401) << route.operation_id;
      EXPECT_THAT(answer.body, Not(HasSubstr("acme-secret"))) << route.operation_id;
    }
    EXPECT_EQ(anonymous().send(route.method, route.pattern, {}).status, 401) << route.operation_id;
  }
  EXPECT_EQ(found, 7u);
}

TEST_F(MessagingTable, EveryRouteRefusesAQueryParameterItDoesNotKnow) {
  for (const http::Route& route : token_routes()) {
    const auto& example = examples().at(route.operation_id);
    HeaderList headers;
    if (!example.body.empty()) headers.emplace_back("Content-Type", example.content_type);
    const Answer answer = client("ada").send(route.method, target_of(route) + "?surprise=1", example.body, headers);
    if (route.operation_id == "import_messages") continue;  // its body is read line by line, and fails first
    EXPECT_EQ(answer.status, 400) << route.operation_id << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("query.surprise")) << route.operation_id;
  }
}

TEST_F(MessagingTable, OpenRoutesAnswerWithoutACaller) {
  for (const char* path : {"/", "/health", "/health/live", "/metrics", "/openapi.yaml", "/docs"}) {
    EXPECT_EQ(anonymous().get(path).status, 200) << path;
  }
}

}  // namespace
}  // namespace parley::messaging
