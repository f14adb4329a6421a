#include "http/openapi/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/openapi/embedded.h"

namespace parley::http::openapi {
namespace {

using ::testing::HasSubstr;

TEST(Contract, CompilesEveryFileThatTheBuildEmbeds) {
  for (const std::string_view yaml : {messaging_yaml(), media_yaml(), search_yaml(), gateway_yaml()}) {
    const auto contract = Contract::parse(yaml);
    ASSERT_TRUE(contract) << contract.error().detail;
    EXPECT_FALSE((*contract)->operations().empty());
    EXPECT_EQ((*contract)->text(), yaml);
  }
}

TEST(Contract, KnowsMethodPatternLimitsAndParametersOfAnOperation) {
  const auto contract = Contract::parse(messaging_yaml()).value();
  const Operation& edit = contract->at("edit_message");
  EXPECT_EQ(edit.method, Method::kPut);
  EXPECT_EQ(edit.pattern, "/messages/{message_id}");
  EXPECT_EQ(edit.max_body_bytes, 131072U);
  EXPECT_EQ(edit.body_format, BodyFormat::kJson);
  EXPECT_TRUE(edit.body_required);
  EXPECT_EQ(edit.access, Access::kToken);
  ASSERT_EQ(edit.parameters.size(), 3U);
  EXPECT_EQ(edit.parameters[1].field, FieldId::if_match);

  const Operation& import = contract->at("import_messages");
  EXPECT_EQ(import.body_format, BodyFormat::kNdjson);
  EXPECT_EQ(import.max_lines, 1000U);
  const auto media = Contract::parse(media_yaml()).value();
  EXPECT_EQ(media->at("put_chunk").body_format, BodyFormat::kStream);
  EXPECT_EQ(media->at("put_chunk").max_body_bytes, std::nullopt);
  EXPECT_EQ(contract->at("get_health").access, Access::kOpen);
  EXPECT_EQ(media->at("get_tus_options").access, Access::kOpen);
  EXPECT_EQ(media->at("look_up_files").access, Access::kInternal);
  EXPECT_EQ(media->at("download_file").access, Access::kTokenOrSigned);
  EXPECT_EQ(media->at("stream_file").access, Access::kToken);
  EXPECT_EQ(contract->at("get_message").max_body_bytes, std::nullopt);
  EXPECT_EQ(contract->find("no_such_operation"), nullptr);
}

TEST(Contract, HoldsBodiesToTheOperatorsLimitWhereThatIsTheLower) {
  const auto contract = Contract::parse(messaging_yaml(), 65'536).value();
  EXPECT_EQ(contract->at("import_messages").max_body_bytes, 65'536U);
  EXPECT_EQ(contract->at("send_message").max_body_bytes, 65'536U);
  EXPECT_EQ(contract->at("add_reaction").max_body_bytes, 4'096U);
  EXPECT_EQ(contract->at("get_message").max_body_bytes, std::nullopt);
}

TEST(Contract, GivesARouteItsRowOfTheTable) {
  const auto contract = Contract::parse(messaging_yaml()).value();
  const Route route = contract->route("get_health", nullptr);
  EXPECT_EQ(route.method, Method::kGet);
  EXPECT_EQ(route.pattern, "/health");
  EXPECT_EQ(route.access, Access::kOpen);
  EXPECT_EQ(route.operation_id, "get_health");
}

TEST(Contract, SaysWhatIsWrongWithAFileAndWhere) {
  const auto error_of = [](std::string_view yaml) { return Contract::parse(yaml).error().detail; };
  EXPECT_THAT(error_of("paths: ["), HasSubstr("the document"));
  EXPECT_THAT(error_of("{}"), HasSubstr("no paths"));
  EXPECT_THAT(error_of("{paths: {/a: {get: {operationId: x}, put: {operationId: x}}}}"),
              HasSubstr("put /a: operationId x twice"));
  EXPECT_THAT(
      error_of("{paths: {/a: {get: {operationId: x, parameters: [{name: p, in: cookie, schema: {type: string}}]}}}}"),
      HasSubstr("get /a: parameter in cookie"));
  EXPECT_THAT(error_of("{paths: {/a: {put: {operationId: x, requestBody: {content: {application/json: {schema: {type: "
                       "object}}}}}}}}"),
              HasSubstr("x-max-body-bytes"));
  EXPECT_THAT(
      error_of("{paths: {/a: {put: {operationId: x, x-max-body-bytes: 9, requestBody: {content: {text/plain: {}}}}}}}"),
      HasSubstr("no content type"));
}

}  // namespace
}  // namespace parley::http::openapi
