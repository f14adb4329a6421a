// The contract that every adapter of RecentSearches must keep, as a GoogleTest suite. An adapter's test links
// recent_searches_contract.cc and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, RecentSearchesContract, testing::Values(make_sqlite_searches));
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "search/recent_searches.h"

namespace parley::search::testing {

// An adapter's searches in a place of their own, which goes with it; searches are kept for kLife.
class RecentSearchesUnderTest {
 public:
  static constexpr std::chrono::days kLife{90};
  virtual ~RecentSearchesUnderTest() = default;
  virtual RecentSearches& searches() = 0;
  // Closes and opens again, as a restart does.
  virtual void reopen() = 0;
};
// Null: the adapter's engine is not there, and its cases are skipped.
using MakeRecentSearches = std::unique_ptr<RecentSearchesUnderTest> (*)(const Clock&);

// Members call the port on an event loop and wait. The user is "ada" of "acme" unless said otherwise.
class RecentSearchesContract : public ::testing::TestWithParam<MakeRecentSearches> {
 protected:
  RecentSearchesContract();
  void SetUp() override {
    if (!under_test_) GTEST_SKIP() << "its engine is not there";
  }

  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();
  RecentSearches& searches() { return under_test_->searches(); }

  Result<> add(std::string query, const char* user = "ada", const char* tenant = "acme");
  std::vector<std::string> listed(const char* user = "ada", const char* tenant = "acme");

  ManualClock clock_;
  EventLoops loops_;
  std::unique_ptr<RecentSearchesUnderTest> under_test_;
};

}  // namespace parley::search::testing
