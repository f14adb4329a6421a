// The contract that every search index must keep, as a GoogleTest suite over its adapters. An adapter's test links
// search_index_contract.cc and the other _contract.cc files beside it and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Fts5, SearchIndexContract, testing::Values(make_fts5_index));
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "base/run_on_loop.h"
#include "search/search_index.h"

namespace parley::search::testing {

// An index of one adapter in a place of its own, which goes with it.
class IndexUnderTest {
 public:
  virtual ~IndexUnderTest() = default;
  virtual SearchIndex& index() = 0;
  // Closes the index and opens it again, as a restart does.
  virtual void reopen() = 0;
  // Whatever the adapter can find wrong with its own data; empty when all is well. On `loop`.
  virtual std::vector<std::string> problems(EventLoop& loop) = 0;
};
using MakeIndex = std::unique_ptr<IndexUnderTest> (*)(const Clock&);

// Members call the port on an event loop and wait. Messages are named by short texts, stand in tenant "acme" and
// conversation "c1" unless said otherwise, and each is a second newer than the one before.
class SearchIndexContract : public ::testing::TestWithParam<MakeIndex> {
 protected:
  SearchIndexContract();
  // An index that holds together at the end of every test is part of the contract.
  ~SearchIndexContract() override;

  template <class T>
  T wait(Task<T> task) {
    return run_on_loop(loops_.at(0), std::move(task));
  }
  static constexpr SteadyTime kNoHurry = SteadyTime::max();
  SearchIndex& index() { return under_test_->index(); }

  MessageWritten message(const char* name, std::string content);
  IndexChange change(std::int64_t number, MessageWritten what, const char* conversation = "c1",
                     const char* tenant = "acme");
  IndexChange removal(std::int64_t number, const char* name, const char* conversation = "c1",
                      const char* tenant = "acme");
  IndexChange reaction(std::int64_t number, const char* name, bool any, const char* conversation = "c1",
                       const char* tenant = "acme");
  IndexChange erasure(std::int64_t number, const char* conversation = "c1", const char* tenant = "acme");
  ApplyOutcome apply(std::vector<IndexChange> changes, std::int64_t through = 0);
  // One message, in a batch of its own, with the next number.
  void write(const char* name, std::string content, const char* conversation = "c1", const char* tenant = "acme");

  static SearchScope scope(std::vector<const char*> conversations = {"c1"}, const char* tenant = "acme");
  SearchPage page(SearchRequest request);
  SearchPage search(const char* query, SearchScope in = scope(), Sort sort = Sort::kNewest);
  // The names of what is found.
  std::vector<std::string> found(const char* query, SearchScope in = scope(), Sort sort = Sort::kNewest);
  std::vector<std::string> suggested(const char* prefix, SearchScope in = scope());
  std::int64_t count(const char* conversation = "c1", const char* tenant = "acme");

  std::optional<std::string> near(const char* query, SearchScope in = scope());
  // The texts of those messages that the index holds.
  std::vector<std::string> contents(std::vector<const char*> names, const char* conversation = "c1",
                                    const char* tenant = "acme");

  Result<RebuildState> begin_rebuild(const char* id = "r1", const char* tenant = "acme");
  RebuildState add_to_rebuild(std::vector<IndexChange> changes, std::string cursor = "", const char* id = "r1",
                              const char* tenant = "acme");
  Result<RebuildState> finish_rebuild(const char* id = "r1", const char* tenant = "acme");
  Result<> abandon_rebuild(const char* id = "r1", const char* tenant = "acme");
  std::vector<RebuildState> rebuilds() { return wait(index().rebuilds(kNoHurry)).value(); }
  // Until nothing is left; how many calls it took.
  int sweep_all(std::size_t limit = 3);

  static MessageId id_of(std::string_view name) { return MessageId("m-" + std::string(name)); }

  ManualClock clock_;
  EventLoops loops_;
  std::int64_t number_ = 0;
  std::unique_ptr<IndexUnderTest> under_test_;
};

}  // namespace parley::search::testing
