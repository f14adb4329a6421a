// KeySet: the public keys that tokens are verified with, immutable once made. KeyRing: the set in force; the refresher
// swaps it from its loop, every loop reads it. Loading fails with kInvalid (code bad_key) and a sentence for the
// operator.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verification_key.h"
#include "base/result.h"

namespace parley::auth {

class KeySet {
 public:
  static constexpr std::size_t kMaxKeys = 64;
  static constexpr std::size_t kMaxTextBytes = 256 * 1024;

  KeySet() = default;
  using KeyPointer = std::shared_ptr<const VerificationKey>;
  explicit KeySet(std::vector<KeyPointer> keys) : keys_(std::move(keys)) {}

  // Any number of PEM blocks: PUBLIC KEY, RSA PUBLIC KEY, CERTIFICATE. `\n` written as two characters is taken for a
  // line break, as environment files have it. `kid` names the key when there is only one. A private key, a weak key or
  // anything that is no key refuses the whole text.
  static Result<KeySet> from_pem(std::string_view text, const std::string& kid = {});
  // RFC 7517. Keys not for us (unknown kty, use other than sig, foreign alg) and faulty keys are left out, the latter
  // noted in skipped(); no key left is an error.
  static Result<KeySet> from_jwks(std::string_view text);
  // Whichever of the two `text` is.
  static Result<KeySet> parse(std::string_view text);

  const std::vector<KeyPointer>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }
  // Why keys were left out, for the log.
  const std::vector<std::string>& skipped() const { return skipped_; }
  // Both sets' keys in one.
  static KeySet merge(KeySet a, KeySet b);

 private:
  std::vector<KeyPointer> keys_;
  std::vector<std::string> skipped_;
};

class KeyRing {
 public:
  struct Snapshot {
    std::shared_ptr<const KeySet> keys;
    std::uint64_t generation;
  };

  explicit KeyRing(KeySet keys = {}) : keys_(std::make_shared<const KeySet>(std::move(keys))) {}

  // Any thread. What was verified under an older generation counts no more.
  void replace(KeySet keys);
  // Any thread; takes a lock, so only where a signature is verified anyway.
  Snapshot snapshot() const;
  // Any thread, free.
  std::uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const KeySet> keys_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace parley::auth
