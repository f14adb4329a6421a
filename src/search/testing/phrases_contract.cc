// What every index must find of phrases whose last word goes on, which engines do not find by themselves.
#include <set>

#include "search/query_parser.h"
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST_P(SearchIndexContract, AStarBehindSeveralWordsKeepsTheirOrder) {
  write("a", "get-apple");
  write("b", "get the apple");
  write("c", "apple get");
  for (const Sort sort : {Sort::kNewest, Sort::kRelevance}) {
    EXPECT_THAT(found("get-ap*", scope(), sort), ElementsAre("a"));
    EXPECT_THAT(found("get-ap* OR the", scope(), sort), UnorderedElementsAre("b", "a"));
    EXPECT_THAT(found("apple -get-ap*", scope(), sort), UnorderedElementsAre("c", "b"));
    EXPECT_THAT(found("-get-ap*", scope(), sort), UnorderedElementsAre("c", "b"));
  }
  EXPECT_EQ(search("get-ap*").total, 1);
  std::vector<IndexChange> changes;
  for (int i = 0; i < kRankedWindow + 100; ++i) {
    changes.push_back(
        change(++number_, message(std::to_string(i).c_str(), i % 100 == 0 ? "get-apple" : "get an apple")));
  }
  apply(std::move(changes));
  SearchRequest request{.scope = scope(), .query = parse_query("get-ap*").value(), .limit = 2};
  for (const Sort sort : {Sort::kNewest, Sort::kRelevance}) {
    request.sort = sort;
    request.after.reset();
    std::set<std::string> names;
    for (int pages = 0; pages < 10; ++pages) {
      const SearchPage now = page(request);
      EXPECT_EQ(now.total, 7);
      for (const Hit& hit : now.items) EXPECT_TRUE(names.insert(hit.id.value).second);
      if (!now.next) break;
      request.after = now.next;
    }
    EXPECT_EQ(names.size(), 7u);
  }
}

}  // namespace
}  // namespace parley::search::testing
