// What `parley reindex` does, and the part of `parley check` that is about the search index. Each answers the exit code
// and says on stdout and stderr what there is to say.
#pragma once
#include <string>

#include "app/search_host.h"

namespace parley::app {

// Every tenant where `tenant` is empty.
int reindex(const Settings& settings, const SearchHostOptions& where, const std::string& tenant);
// Compares the index with the store; with `repair` builds it anew for the tenants that differ, and compares again.
int check_index(const Settings& settings, const SearchHostOptions& where, bool repair);
// Whether there is an index to be checked: in the data folder, or at a URL.
bool has_index(const Settings& settings, const SearchHostOptions& where);

}  // namespace parley::app
