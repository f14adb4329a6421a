// The checksums that header fields announce, of requests and of answers: Content-MD5 (RFC 1864), Digest (RFC 3230),
// Repr-Digest and Content-Digest (RFC 9530), X-Checksum-SHA256 (hex). Pure, any thread.
#pragma once
#include <string>
#include <vector>

#include "base/expected_digest.h"
#include "base/result.h"
#include "base/sha256.h"
#include "http/message.h"

namespace parley::http {

// All of them, of a request or of a form's part, in the order of the fields; each is to be compared. One of each kind
// at most: said again it must be the same. Algorithms other than MD5, SHA-1, SHA-256 and SHA-512 are left out; a value
// that is malformed, of the wrong length or another one of its kind is kInvalid validation_failed on "header.Digest"
// (or whichever it is).
Result<std::vector<ExpectedDigest>> digest_fields(const Fields& fields);

// Repr-Digest of an answer, of the whole file where it sends a range, too: "sha-256=:…:".
std::string repr_digest(const Sha256& digest);

}  // namespace parley::http
