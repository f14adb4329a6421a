// AuthMiddleware: asks each request for its bearer token (RFC 6750, the Authorization field only: a token in a URL
// would end up in logs) and sets exchange.caller. Runs on the request's loop, after RequestScope and CORS.
//
// Every request needs a token but those to routes marked kOpen. That includes paths that do not exist and methods that
// are not allowed: without a token they answer 401 like everything else, so that nothing can be probed. (A CORS
// preflight never carries a token: the CORS step must answer it before this one.)
//
// A route marked kTokenOrSigned lets pass, with no caller set, what has no Authorization field but a query parameter
// `signature`: whether that is worth anything is for the handler to find. With a token it is a route like any other.
//
// A route marked kInternal takes an internal token of its role and nothing else, and sets exchange.from_role instead of
// a caller; no other route takes one.
//
// 401 unauthorized or token_expired with WWW-Authenticate; 403 forbidden for X-Parley-User without the service role;
// 400 for an X-Parley-User that names no user or comes twice; 503 while no keys can be had.
#pragma once
#include <optional>
#include <string>

#include "auth/authenticator.h"
#include "config/secret.h"
#include "http/service.h"

namespace parley::auth {

// What internal tokens are verified with; a role without internal routes has none.
struct InternalAccess {
  Secret key;
  std::string audience;  // the role's name
  const Clock& clock;
};

class AuthMiddleware final : public http::Middleware {
 public:
  explicit AuthMiddleware(Authenticator& authenticator, std::optional<InternalAccess> internal = std::nullopt)
      : authenticator_(authenticator), internal_(std::move(internal)) {}
  Verdict before(http::Exchange& exchange) override;

 private:
  Task<std::optional<http::Response>> wait_for_keys(http::Exchange& exchange, std::string token,
                                                    std::optional<std::string> acting_for);

  Result<> check_internal(std::string_view token) const;

  Authenticator& authenticator_;
  const std::optional<InternalAccess> internal_;
};

}  // namespace parley::auth
