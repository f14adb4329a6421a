// Digests: the checksums of a run of bytes, fed as it passes by: SHA-256 always, others when a request brought one to
// compare with. Used by one thread at a time.
#pragma once
#include <openssl/evp.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected_digest.h"
#include "base/sha256.h"

namespace parley::media {

class Digests {
 public:
  // `expected` may be empty.
  explicit Digests(std::vector<ExpectedDigest> expected);
  // Goes on from here: SHA-256 and length take in what was fed to this one, while `expected` is compared with what is
  // fed to the new one alone.
  Digests continued(std::vector<ExpectedDigest> expected) const;

  void update(std::string_view bytes);
  std::uint64_t length() const { return length_; }  // bytes fed so far
  // SHA-256 of what was fed so far; more may follow.
  Sha256 sha256() const;
  // Whether what was fed so far is what the client announced, in every kind it named.
  bool as_expected() const;

 private:
  struct ContextDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  using Context = std::unique_ptr<EVP_MD_CTX, ContextDeleter>;
  static Context begin(DigestKind kind);
  static Context copy_of(const Context& context);
  static std::string finish_copy(const Context& context);

  struct Compared {
    ExpectedDigest expected;
    Context context;  // null: sha256_ is the same
  };
  Context sha256_;
  std::vector<Compared> compared_;
  std::uint64_t length_ = 0;
};

}  // namespace parley::media
