// The routes of the messaging role: one table, operation by operation of api/messaging.yaml, which gives method and
// path. Built once; the Messaging and the contract must outlive the routes.
#pragma once
#include <vector>

#include "http/openapi/contract.h"
#include "http/router.h"
#include "messaging/handlers.h"

namespace parley::messaging {

std::vector<http::Route> messaging_routes(const http::openapi::Contract& contract, Messaging& messaging);

}  // namespace parley::messaging
