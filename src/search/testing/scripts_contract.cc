// What every index must find, in many scripts: tests/fixtures/search/scripts.json.
#include <boost/json.hpp>
#include <fstream>
#include <sstream>

#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

boost::json::array read_messages() {
  std::ifstream in(PARLEY_SOURCE_DIR "/tests/fixtures/search/scripts.json");
  std::stringstream text;
  text << in.rdbuf();
  return boost::json::parse(text.str()).at("messages").as_array();
}

TEST_P(SearchIndexContract, SpeakersOfManyScriptsFindWhatTheyWouldType) {
  const boost::json::array messages = read_messages();
  ASSERT_GE(messages.size(), 12u);
  std::vector<IndexChange> changes;
  for (const auto& each : messages) {
    auto said = message(each.at("id").as_string().c_str(), std::string(each.at("content").as_string()));
    if (const auto* names = each.as_object().if_contains("file_names")) {
      for (const auto& name : names->as_array()) said.file_names.emplace_back(name.as_string());
    }
    changes.push_back(change(++number_, std::move(said)));
  }
  apply(std::move(changes));
  for (const auto& each : messages) {
    const std::string id(each.at("id").as_string());
    for (const auto& query : each.at("queries").as_array()) {
      EXPECT_THAT(found(query.as_string().c_str()), ::testing::Contains(id)) << query.as_string();
      EXPECT_THAT(found(query.as_string().c_str(), scope(), Sort::kRelevance), ::testing::Contains(id));
    }
    for (const auto& query : each.at("misses").as_array()) {
      EXPECT_THAT(found(query.as_string().c_str()), ::testing::Not(::testing::Contains(id))) << query.as_string();
    }
  }
}

}  // namespace
}  // namespace parley::search::testing
