// SignedAddressCheck: on a route that takes signed addresses, a request without a token but with a signature acts as
// whoever signed it, if the signature holds: it gets that user as its caller, without any role. Else 403
// invalid_signature, before anything of the request is looked at. Runs after AuthMiddleware, on the request's loop.
#pragma once
#include "base/clock.h"
#include "http/service.h"
#include "media/url_signer.h"

namespace parley::media {

class SignedAddressCheck final : public http::Middleware {
 public:
  // Both must outlive this.
  SignedAddressCheck(const UrlSigner& signer, const Clock& clock) : signer_(signer), clock_(clock) {}
  Verdict before(http::Exchange& exchange) override;

 private:
  const UrlSigner& signer_;
  const Clock& clock_;
};

}  // namespace parley::media
