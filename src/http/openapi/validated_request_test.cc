#include "http/openapi/validated_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <bit>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <cmath>
#include <random>

#include "base/json_writer.h"
#include "http/openapi/json_body.h"
#include "http/problem.h"
#include "http/testing/service_client.h"

namespace parley::http::openapi {
namespace {

using testing::Answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::HeaderList;
using ::testing::IsEmpty;

constexpr auto kYaml = R"(
openapi: 3.1.0
paths:
  /things/{thing_id}:
    get:
      operationId: get_thing
      parameters:
        - {name: thing_id, in: path, required: true, schema: {type: string, x-max-bytes: 4}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 50}}
        - {name: order, in: query, schema: {type: string, enum: [asc, desc], default: desc}}
        - {name: needed, in: query, required: true, schema: {type: string}}
        - {name: If-Match, in: header, schema: {type: string, minLength: 1}}
        - {name: X-Own, in: header, schema: {type: string, maxLength: 3}}
  /things:
    post:
      operationId: make_thing
      x-max-body-bytes: 1000
      parameters:
        - {name: dry, in: query, schema: {type: boolean, default: false}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [name]
              properties:
                name: {type: string, minLength: 1, x-max-bytes: 8, x-no-nul: true}
                any: {type: object}
    delete:
      operationId: drop_things
      x-max-body-bytes: 0
)";

// Answers what the handler would see, as text.
Task<Response> echo(const Operation& operation, Exchange& exchange) {
  auto request = co_await validate(operation, exchange);
  if (!request) {
    json::object problem{{"code", request.error().code}, {"detail", request.error().detail}};
    json::array errors;
    for (const auto& field : request.error().fields)
      errors.push_back({{"path", field.path}, {"message", field.message}});
    problem["errors"] = errors;
    co_return json_response(status_of(request.error().kind), json::serialize(problem));
  }
  if (operation.id == "make_thing") co_return json_response(201, json::serialize(request->body()));
  if (operation.id == "drop_things") co_return json_response(204, "");
  co_return json_response(
      200, fmt::format("{}|{}|{}|{}|{}|{}", request->text("thing_id"), request->integer("limit"),
                       request->text("order"), request->text("needed"), request->find_text("If-Match").value_or("-"),
                       request->find_text("X-Own").value_or("-")));
}

class ValidatedRequestTest : public ::testing::Test {
 protected:
  static std::vector<Route> routes(const Contract& contract) {
    std::vector<Route> table;
    for (const Operation& operation : contract.operations()) {
      table.push_back(
          contract.route(operation.id, [&operation](Exchange& exchange) { return echo(operation, exchange); }));
    }
    return table;
  }

  std::shared_ptr<const Contract> contract_ = Contract::parse(kYaml).value();
  testing::LoopThread loop_;
  RoutedService service_{routes(*contract_), {}};
  testing::ServiceClient client_{loop_, service_};
};

TEST_F(ValidatedRequestTest, DecodesParametersAndFillsInDefaults) {
  EXPECT_EQ(client_.get("/things/a%20b?needed=%C3%A4").body, "a b|50|desc|ä|-|-");
  EXPECT_EQ(client_.get("/things/a?order=asc&limit=7&needed=", {{"if-match", "\"3\""}, {"x-own", "abc"}}).body,
            "a|7|asc||\"3\"|abc");
}

TEST_F(ValidatedRequestTest, APlusIsABlankInAQueryAndItselfInAPath) {
  EXPECT_EQ(client_.get("/things/a+b?needed=c+d%2Be").body, "a+b|50|desc|c d+e|-|-");
}

TEST_F(ValidatedRequestTest, NamesEveryFaultyParameterAtOnce) {
  const Answer answer =
      client_.get("/things/abcde?limit=0&order=up&other=1&limit=5", {{"X-Own", "abcd"}, {"If-Match", ""}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.code(), "validation_failed");
  EXPECT_THAT(answer.faulty_paths(), ElementsAre("query.limit", "query.order", "query.other", "query.limit",
                                                 "path.thing_id", "query.needed", "header.If-Match", "header.X-Own"));
  EXPECT_THAT(answer.body, HasSubstr("must be from 1 to 100"));
  EXPECT_THAT(answer.body, HasSubstr("must be asc or desc"));
  EXPECT_THAT(answer.body, HasSubstr("is not a parameter of this request"));
  EXPECT_THAT(answer.body, HasSubstr("must not be given twice"));
}

TEST_F(ValidatedRequestTest, RefusesAParameterOrHeaderGivenTwiceEvenWhenEqual) {
  EXPECT_THAT(client_.get("/things/a?needed=1&needed=1").faulty_paths(), ElementsAre("query.needed"));
  EXPECT_THAT(client_.get("/things/a?needed=1", {{"X-Own", "a"}, {"x-own", "a"}}).faulty_paths(),
              ElementsAre("header.X-Own"));
}

TEST_F(ValidatedRequestTest, RefusesBrokenEncodingsInAQuery) {
  EXPECT_THAT(client_.get("/things/a?needed=%zz").faulty_paths(), ElementsAre("query.needed"));
  EXPECT_THAT(client_.get("/things/a?needed=%ff").faulty_paths(), ElementsAre("query.needed"));
  EXPECT_THAT(client_.get("/things/a?needed=1&%ff=1").faulty_paths(), ElementsAre("query.?"));
  EXPECT_THAT(client_.get("/things/a?needed=1&%zz").faulty_paths(), ElementsAre("query.?"));
  EXPECT_EQ(client_.get("/things/a?needed=1&&").status, 200);
}

TEST_F(ValidatedRequestTest, ReadsABody) {
  EXPECT_EQ(client_.post("/things", R"( {"name":"a","any":{"k":[1,2.5,null,true,"ü"]}} )").body,
            R"({"name":"a","any":{"k":[1,2.5E0,null,true,"ü"]}})");
}

TEST_F(ValidatedRequestTest, NamesFaultsOfBodyAndQueryTogether) {
  const Answer answer = client_.post("/things?dry=maybe", R"({"name":"123456789","x":1})");
  EXPECT_THAT(answer.faulty_paths(), ElementsAre("query.dry", "/name", "/x"));
  EXPECT_THAT(answer.body, HasSubstr("must not be longer than 8 bytes of UTF-8; it has 9"));
  EXPECT_THAT(client_.post("/things", "[]").faulty_paths(), ElementsAre(""));
}

TEST_F(ValidatedRequestTest, RefusesWhatIsNoStrictJson) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "it is empty"},
      {" ", "ends too early"},
      {"{\"name\":\"a\"", "ends too early"},
      {"{\"name\":\"a\"} x", "something follows"},
      {"{\"name\":\"a\"}{}", "something follows"},
      {"{\"name\":\"a\",}", "syntax"},
      {"{'name':'a'}", "syntax"},
      {"{\"name\":\"\xff\"}", "UTF-8"},
      {"{\"name\":\"\xed\xa0\x80\"}", "UTF-8"},
      {"{\"name\":\"\\ud800\"}", "syntax"},
      {std::string("{\"name\":\"a\0\"}", 13), "syntax"},
      {"{\"name\":\"a\nb\"}", "syntax"},
      {"{\"name\":\"a\",\"name\":\"a\"}", "same key twice"},
      {"{\"name\":\"a\",\"na\\u006de\":\"b\"}", "same key twice"},
      {"{\"name\":\"a\",\"any\":{\"b\":{\"c\":1,\"c\":2}}}", "same key twice"},
      {"{\"name\":\"a\",\"any\":{\"n\":1e999}}", "too large"},
      {"{\"name\":\"a\",\"any\":{\"n\":NaN}}", "syntax"},
      {"\xef\xbb\xbf{\"name\":\"a\"}", "syntax"},
      {"// x\n{\"name\":\"a\"}", "syntax"},
  };
  for (const auto& [body, what] : cases) {
    const Answer answer = client_.post("/things", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.code(), "invalid_json") << body;
    EXPECT_THAT(answer.body, HasSubstr(what)) << body;
  }
}

TEST(JsonBody, TakesEachNumberForTheNearestThereIs) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const double number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    const auto body = parse_json(fmt::format("[{}, {}]", number, static_cast<double>(i) / 997));
    ASSERT_TRUE(body);
    EXPECT_EQ(json::value_to<double>(body->value().at(0)), number);
    EXPECT_EQ(json::value_to<double>(body->value().at(1)), static_cast<double>(i) / 997);
  }
  EXPECT_EQ(canonical_json(parse_json("[1e-400, -0.0, 18446744073709551615, 1.0E2, 0.1e1]")->value()),
            "[0,-0,18446744073709551615,100,1]");
}

TEST_F(ValidatedRequestTest, FindsARepeatedKeyAmongMany) {
  std::string many = R"({"name":"a","any":{)";
  for (int i = 0; i < 40; ++i) many += "\"k" + std::to_string(i) + "\":1,";
  EXPECT_EQ(client_.post("/things", many + "\"z\":1}}").status, 201);
  EXPECT_EQ(client_.post("/things", many + "\"k17\":1}}").code(), "invalid_json");
  EXPECT_EQ(client_.post("/things", R"({"name":"a","any":{"a":{"x":1},"b":{"x":1},"x":1}})").status, 201);
}

TEST_F(ValidatedRequestTest, BoundsDepthAtThirtyTwo) {
  const auto nested = [](int levels) {
    return R"({"name":"a","any":{"x":)" + std::string(static_cast<std::size_t>(levels - 2), '[') +
           std::string(static_cast<std::size_t>(levels - 2), ']') + "}}";
  };
  EXPECT_EQ(client_.post("/things", nested(32)).status, 201);
  EXPECT_THAT(client_.post("/things", nested(33)).body, HasSubstr("deeper than 32"));
  EXPECT_EQ(client_.post("/things", nested(900 / 2)).code(), "invalid_json");
}

TEST_F(ValidatedRequestTest, KeepsNoTraceOfABodyThatFailed) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client_.post("/things", R"({"name":"a long enough string to be allocated","any":{"x":["y",)").code(),
              "invalid_json");
    EXPECT_EQ(client_.post("/things", R"({"name":"a"})").status, 201);
  }
}

TEST_F(ValidatedRequestTest, TakesOnlyJsonInUtf8) {
  const auto with_type = [this](const char* type) {
    return client_.post("/things", R"({"name":"a"})", {{"Content-Type", type}}).status;
  };
  for (const char* good : {"application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\"",
                           "application/vnd.x+json"}) {
    EXPECT_EQ(with_type(good), 201) << good;
  }
  for (const char* bad : {"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "",
                          "application/jsonx", "application/+json", "text/json+json"}) {
    EXPECT_EQ(with_type(bad), 415) << bad;
  }
  EXPECT_EQ(client_.send(Method::kPost, "/things", R"({"name":"a"})").status, 415);
  EXPECT_EQ(client_.post("/things", R"({"name":"a"})", {{"Content-Encoding", "gzip"}}).status, 415);
}

TEST_F(ValidatedRequestTest, BoundsTheBody) {
  EXPECT_EQ(client_.post("/things", R"({"name":"a"})" + std::string(988, ' ')).status, 201);
  EXPECT_EQ(client_.post("/things", R"({"name":"a"})" + std::string(989, ' ')).status, 413);
  EXPECT_EQ(client_.remove("/things").status, 204);
  EXPECT_EQ(client_.send(Method::kDelete, "/things", "x").status, 413);
}

}  // namespace
}  // namespace parley::http::openapi
