// What an answer of S3 that is no success means: to whoever asked (an Error), and whether the same may be asked again.
// Pure; any thread. Details name no key, bucket or secret.
#pragma once
#include <string_view>

#include "base/error.h"

namespace parley::s3 {

// `code` is that of the XML; empty: there was none (an answer to HEAD has no body).
struct Refusal {
  int status = 0;
  std::string_view code;
};

// not_found only where the thing itself is missing: a 404 for a bucket or an access key that is not there (so says
// versitygw; AWS says 403) is the operator's matter, and unavailable.
Error error_of(const Refusal& refusal);
// The service is busy or broken at the moment.
bool is_passing(const Refusal& refusal);
// Of the keys that were sent: newer ones may do.
bool is_of_credentials(const Refusal& refusal);

}  // namespace parley::s3
