#include "media/signed_address_check.h"

#include "http/problem.h"
#include "tenancy/caller.h"

namespace parley::media {

http::Middleware::Verdict SignedAddressCheck::before(http::Exchange& exchange) {
  const bool asked = exchange.route != nullptr && exchange.route->access == http::Access::kTokenOrSigned;
  if (!asked || exchange.caller != nullptr) return {};
  const FileId file(exchange.path.at("file_id"));
  const Result<SignedDownload> allowed = signer_.verify(file, exchange.request.query, clock_.wall_now());
  if (!allowed) return http::problem_response(allowed.error(), exchange.request_id);
  exchange.caller = std::make_shared<const Caller>(Caller{allowed->tenant, allowed->user, {}, {}, {}});
  return {};
}

}  // namespace parley::media
