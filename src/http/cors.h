// Cross-origin access for browsers (the Fetch standard's CORS protocol), by a list of allowed origins; empty, which is
// the default: none, and the answers carry nothing of it. Stands before authentication: a preflight has no token.
// Credentials (cookies) are never allowed: tokens go in the Authorization header, so that "*" gives nothing away.
#pragma once
#include <string>
#include <vector>

#include "http/service.h"

namespace parley::http {

class Cors final : public Middleware {
 public:
  // Origins as browsers send them ("https://app.example.org"), compared byte for byte; "*": any.
  explicit Cors(std::vector<std::string> allowed_origins);
  // Answers preflights.
  Verdict before(Exchange& exchange) override;
  void after(Exchange& exchange, Response& response) override;

 private:
  bool allows(std::string_view origin) const;
  // Adds Access-Control-Allow-Origin if the request's origin may have it, and Vary; true if it may.
  bool admit(const Request& request, Response& response) const;

  const std::vector<std::string> allowed_origins_;
  const bool any_;
};

}  // namespace parley::http
