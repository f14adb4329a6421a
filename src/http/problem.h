// Errors on the wire: RFC 9457 application/problem+json with type, title, status, detail, code, request_id and, for
// 400, errors: [{path, message}]. The one place that maps ErrorKind to an HTTP status.
#pragma once
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "http/message.h"

namespace parley::http {

int status_of(ErrorKind kind);
// Adds Retry-After where the error has one, and kRoleIsWell (upstream.h). kInternal shows no detail, only the request
// id. `members` are extension members (RFC 9457, section 3.2).
Response problem_response(const Error& error, std::string_view request_id,
                          std::initializer_list<std::pair<std::string_view, std::string_view>> members = {});

}  // namespace parley::http
