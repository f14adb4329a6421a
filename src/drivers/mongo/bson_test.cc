#include "drivers/mongo/bson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.h"

namespace parley::mongo {
namespace {

using ::testing::ElementsAre;

TEST(BsonTest, WhatIsWrittenIsReadBack) {
  const UuidBytes id{1, 2, 3};
  const Document document = make_document("text", "héllo", "empty", "", "number", std::int64_t{1} << 40, "small", 3,
                                          "yes", true, "time", WallTime(std::chrono::milliseconds(1'700'000'000'123)),
                                          "id", Uuid{id}, "inner", make_document("a", 1), "list", make_array("x", "y"),
                                          "none", std::optional<std::string>(), "null", Null());
  const View view = document.view();
  EXPECT_EQ(view.text("text"), "héllo");
  EXPECT_EQ(view.optional_text("empty"), "");
  EXPECT_EQ(view.integer("number"), std::int64_t{1} << 40);
  EXPECT_EQ(view.integer("small"), 3);
  EXPECT_TRUE(view.boolean("yes"));
  EXPECT_EQ(view.time("time").time_since_epoch().count(), 1'700'000'000'123);
  EXPECT_TRUE(std::ranges::equal(view.bytes("id"), id));
  EXPECT_EQ(view.document("inner").integer("a"), 1);
  EXPECT_THAT(view.texts("list"), ElementsAre("x", "y"));
  EXPECT_EQ(view.count("list"), 2u);
  EXPECT_FALSE(view.has("none"));
  EXPECT_FALSE(view.has("null"));
}

TEST(BsonTest, WhatIsAbsentOrOfAnotherTypeReadsAsEmpty) {
  const Document document = make_document("text", "x", "number", 5, "list", make_array(1, "a", make_document("b", 2)));
  const View view = document.view();
  EXPECT_EQ(view.integer("text"), 0);
  EXPECT_EQ(view.text("number"), "");
  EXPECT_EQ(view.optional_text("number"), std::nullopt);
  EXPECT_EQ(view.optional_integer("absent"), std::nullopt);
  EXPECT_EQ(view.optional_time("number"), std::nullopt);
  EXPECT_TRUE(view.bytes("text").empty());
  EXPECT_TRUE(view.document("text").empty());
  EXPECT_THAT(view.texts("list"), ElementsAre("a"));
  ASSERT_EQ(view.documents("list").size(), 1u);
  EXPECT_EQ(view.documents("list")[0].integer("b"), 2);
  EXPECT_TRUE(View().empty());
  EXPECT_FALSE(View().has("x"));
  EXPECT_TRUE(View().texts("x").empty());
}

TEST(BsonTest, DocumentsAreCopiedAndMovedWhateverTheirSize) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{1'000'000}}) {
    Document first = make_document("text", std::string(size, 'x'));
    const Document copy = first;
    Document moved = std::move(first);
    EXPECT_EQ(moved.view().text("text").size(), size);
    EXPECT_EQ(copy.view().text("text").size(), size);
    moved = Document(copy);
    EXPECT_EQ(moved.view().text("text").size(), size);
    std::vector<Document> many;
    for (int i = 0; i < 10; ++i) many.push_back(copy);
    EXPECT_EQ(many.back().view().text("text").size(), size);
  }
}

}  // namespace
}  // namespace parley::mongo
