// HttpJwksSource: fetches a JWKS with GET from a URL, through any http::Upstream (an HttpUpstream of its own, with a
// short body_idle_timeout: a body may outlast the deadline by that much). Redirects are not followed: keys come from
// where the setting says. kUnavailable for any answer but 200, for a body over KeySet::kMaxTextBytes, and past the
// deadline.
#pragma once
#include <memory>
#include <string>

#include "auth/jwks_source.h"
#include "http/upstream.h"

namespace parley::auth {

class HttpJwksSource final : public JwksSource {
 public:
  // `target`: path and query of the URL, "/" at least. The clock must outlive this.
  HttpJwksSource(std::unique_ptr<http::Upstream> upstream, std::string target, const Clock& clock)
      : upstream_(std::move(upstream)), target_(std::move(target)), clock_(clock) {}
  Task<Result<std::string>> fetch(SteadyTime deadline) override;

 private:
  const std::unique_ptr<http::Upstream> upstream_;
  const std::string target_;
  const Clock& clock_;
};

}  // namespace parley::auth
