// What every search index must keep of conversations and people: finding them by name, `from:` and `in:`, suggestions.
// An adapter's test links directory_contract.cc, suggestions_contract.cc and search_index_contract.cc, and instantiates
// the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Fts5, DirectoryContract, testing::Values(make_fts5_index));
#pragma once
#include "search/testing/search_index_contract.h"

namespace parley::search::testing {

// Entries stand in tenant "acme" unless said otherwise; each gets a higher number than the one before.
class DirectoryContract : public SearchIndexContract {
 protected:
  void name(const char* conversation, std::optional<std::string> name, std::optional<std::string> topic = {},
            const char* tenant = "acme");
  void person(const char* user, std::string name, const char* tenant = "acme");
  static IndexChange entry(std::int64_t number, const char* conversation, ConversationWritten what,
                           const char* tenant = "acme");
  static IndexChange person_entry(std::int64_t number, const char* user, std::string name, const char* tenant = "acme");

  DirectoryPage conversations_page(DirectoryRequest request);
  DirectoryPage users_page(DirectoryRequest request);
  // The ids of what is found.
  std::vector<std::string> conversations(std::string text, SearchScope in);
  std::vector<std::string> users(std::string text, const char* tenant = "acme");
  NamedIds named(NamesRequest request);
  std::vector<Suggestion> suggestions(std::string prefix, SearchScope in, std::size_t limit = 10);
  // "word:…", "conversation:…" or "user:…", each with its text.
  std::vector<std::string> suggested_names(std::string prefix, SearchScope in, std::size_t limit = 10);
};

}  // namespace parley::search::testing
