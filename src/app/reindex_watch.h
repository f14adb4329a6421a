// Watches a reindex until it has ended, with a bar on a terminal and a line now and then elsewhere, on stderr. Survives
// a restart of the server that it watches. Blocks the thread it is called on.
#pragma once
#include <string>

#include "app/search_host.h"

namespace parley::app {

// How the reindex ended. fail: what it failed with, or that nobody answered for kPatience.
Result<boost::json::object> watch_reindex(SearchHost& host, const std::string& id);

}  // namespace parley::app
