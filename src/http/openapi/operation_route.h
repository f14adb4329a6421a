// operation_route: the row of a route table for one operation of a contract: the request is held against the contract,
// the handler answers what it made of it, an Error becomes a problem, and no answer is to be stored on the way unless
// the handler says how. Without the auth step having said who asks, it is 401 (but for operations open to all, and for
// a signed address where the operation takes one: its handler has no caller then). Made once; contract and handler live
// as long as the route.
#pragma once
#include <functional>

#include "http/openapi/contract.h"
#include "http/openapi/validated_request.h"

namespace parley::http::openapi {

using OperationHandler = std::function<Task<Result<Response>>(Exchange&, const ValidatedRequest&)>;

Route operation_route(const Contract& contract, std::string_view operation_id, OperationHandler handler);

}  // namespace parley::http::openapi
