#include "media/digests.h"

#include "base/check.h"

namespace parley::media {

namespace {

const EVP_MD* algorithm_of(DigestKind kind) {
  switch (kind) {
    case DigestKind::kMd5:
      return EVP_md5();
    case DigestKind::kSha1:
      return EVP_sha1();
    case DigestKind::kSha256:
      return EVP_sha256();
    case DigestKind::kSha512:
      return EVP_sha512();
  }
  CHECK(false);
}

}  // namespace

Digests::Digests(std::vector<ExpectedDigest> expected) : sha256_(begin(DigestKind::kSha256)) {
  for (ExpectedDigest& one : expected) {
    Context context = one.kind == DigestKind::kSha256 ? nullptr : begin(one.kind);
    compared_.push_back({std::move(one), std::move(context)});
  }
}

Digests Digests::continued(std::vector<ExpectedDigest> expected) const {
  Digests next({});
  next.sha256_ = copy_of(sha256_);
  next.length_ = length_;
  for (ExpectedDigest& one : expected) {
    Context context = begin(one.kind);
    next.compared_.push_back({std::move(one), std::move(context)});
  }
  return next;
}

void Digests::update(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(sha256_.get(), bytes.data(), bytes.size()) == 1);
  for (const Compared& one : compared_) {
    if (one.context) CHECK(EVP_DigestUpdate(one.context.get(), bytes.data(), bytes.size()) == 1);
  }
  length_ += bytes.size();
}

Sha256 Digests::sha256() const {
  const std::string bytes = finish_copy(sha256_);
  Sha256 digest{};
  CHECK(bytes.size() == digest.size());
  bytes.copy(reinterpret_cast<char*>(digest.data()), digest.size());
  return digest;
}

bool Digests::as_expected() const {
  for (const Compared& one : compared_) {
    if (finish_copy(one.context ? one.context : sha256_) != one.expected.bytes) return false;
  }
  return true;
}

Digests::Context Digests::begin(DigestKind kind) {
  Context context(EVP_MD_CTX_new());
  CHECK(context && EVP_DigestInit_ex(context.get(), algorithm_of(kind), nullptr) == 1);
  return context;
}

Digests::Context Digests::copy_of(const Context& context) {
  Context copy(EVP_MD_CTX_new());
  CHECK(copy && EVP_MD_CTX_copy_ex(copy.get(), context.get()) == 1);
  return copy;
}

// The digest so far; the context may be fed on.
std::string Digests::finish_copy(const Context& context) {
  const Context copy = copy_of(context);
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(copy.get(), bytes, &length) == 1);
  return {reinterpret_cast<const char*>(bytes), length};
}

}  // namespace parley::media
