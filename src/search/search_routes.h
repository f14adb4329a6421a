// The routes of the search role: one table, operation by operation of api/search.yaml, which gives method and path.
// Built once; the Search and the contract must outlive the routes.
#pragma once
#include <vector>

#include "http/openapi/contract.h"
#include "http/router.h"
#include "search/handlers.h"

namespace parley::search {

std::vector<http::Route> search_routes(const http::openapi::Contract& contract, Search& search);

}  // namespace parley::search
