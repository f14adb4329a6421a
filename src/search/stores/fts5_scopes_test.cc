#include "search/stores/fts5_scopes.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "drivers/sqlite/temp_folder.h"

namespace parley::search {
namespace {

class Fts5Scopes : public ::testing::Test {
 protected:
  Fts5Scopes() : db_({.file = folder_.path() / "scopes.db"}) {
    db_.exec("CREATE TABLE document_scopes(first INTEGER PRIMARY KEY, packed BLOB NOT NULL) STRICT");
    db_.exec("CREATE TABLE documents(id INTEGER PRIMARY KEY, conversation INTEGER NOT NULL) STRICT");
  }
  std::int64_t rows() { return db_.query_int("SELECT count(*) FROM document_scopes"); }

  sqlite::TempFolder folder_;
  sqlite::Connection db_;
};

TEST_F(Fts5Scopes, ADocumentThatIsNotThereIsOfNoConversation) {
  ScopeReader empty(db_);
  EXPECT_EQ(empty.conversation_of(1), 0);
  ScopeWriter writer(db_);
  writer.put(10, 7);
  writer.put(12, 8);
  writer.write();
  ScopeReader reader(db_);
  EXPECT_EQ(reader.conversation_of(10), 7);
  EXPECT_EQ(reader.conversation_of(12), 8);
  for (const std::int64_t id : {1, 9, 11, 13}) EXPECT_EQ(reader.conversation_of(id), 0) << id;
}

TEST_F(Fts5Scopes, RowsThatGrewInOrderAreFullAndAnEmptiedOneGoes) {
  ScopeWriter writer(db_);
  for (std::int64_t id = 1; id <= 2560; ++id) writer.put(id, 1);
  writer.write();
  EXPECT_EQ(rows(), 10);
  for (std::int64_t id = 1; id <= 256; ++id) writer.remove(id);
  writer.remove(5000);  // never there
  writer.write();
  EXPECT_EQ(rows(), 9);
  EXPECT_EQ(ScopeReader(db_).conversation_of(256), 0);
  EXPECT_EQ(ScopeReader(db_).conversation_of(257), 1);
}

TEST_F(Fts5Scopes, NumbersOfAnySizeAndIdsFarApartAreKept) {
  const std::map<std::int64_t, std::int64_t> far{
      {1, 1}, {2, 255}, {3, 256}, {4, 65536}, {std::int64_t{1} << 33, std::int64_t{1} << 40}, {INT64_MAX - 1, 1}};
  ScopeWriter writer(db_);
  for (const auto& [id, conversation] : far) writer.put(id, conversation);
  writer.write();
  ScopeReader reader(db_);
  for (const auto& [id, conversation] : far) EXPECT_EQ(reader.conversation_of(id), conversation) << id;
}

TEST_F(Fts5Scopes, ARowThatIsNoRowOfOursAnswersNothing) {
  db_.exec("INSERT INTO document_scopes VALUES(1, x''), (100, x'ff'), (200, x'0100')");
  ScopeReader reader(db_);
  for (const std::int64_t id : {1, 100, 150, 200, 250}) EXPECT_EQ(reader.conversation_of(id), 0) << id;
}

TEST_F(Fts5Scopes, HoldWhatAMapHoldsAfterChangesInAnyOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::map<std::int64_t, std::int64_t> model;
  for (int batch = 0; batch < 60; ++batch) {
    ScopeWriter writer(db_);
    const bool ascending = random() % 2;
    std::int64_t next = static_cast<std::int64_t>(random() % 30'000);
    for (int i = 0; i < 200; ++i) {
      const std::int64_t id = ascending ? next += random() % 5 : static_cast<std::int64_t>(random() % 30'000);
      if (random() % 4 == 0) {
        writer.remove(id);
        model.erase(id);
      } else {
        writer.put(id, model[id] = 1 + static_cast<std::int64_t>(random() % 3'000));
      }
    }
    writer.write();
  }
  ScopeReader down(db_), anyhow(db_);
  for (std::int64_t id = 30'100; id >= 0; --id) {
    const auto expected = model.contains(id) ? model.at(id) : 0;
    ASSERT_EQ(down.conversation_of(id), expected) << id;
  }
  for (int i = 0; i < 2'000; ++i) {
    const auto id = static_cast<std::int64_t>(random() % 30'000);
    ASSERT_EQ(anyhow.conversation_of(id), model.contains(id) ? model.at(id) : 0) << id;
  }
}

TEST_F(Fts5Scopes, AreFilledInForAnIndexFromBefore) {
  db_.exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
      "INSERT INTO documents SELECT i * 3, i % 17 + 1 FROM n");
  EXPECT_FALSE(scopes_are_whole(db_));
  fill_missing_scopes(db_);
  EXPECT_TRUE(scopes_are_whole(db_));
  ScopeReader reader(db_);
  EXPECT_EQ(reader.conversation_of(3 * 1999), 1999 % 17 + 1);
  db_.exec("UPDATE documents SET conversation = 99 WHERE id = 300");
  EXPECT_FALSE(scopes_are_whole(db_));
}

}  // namespace
}  // namespace parley::search
