#include "gateway/forwarded_body.h"

#include "base/check.h"

namespace parley::gateway {

Task<Result<>> ForwardedBody::hold() {
  const std::optional<std::uint64_t> size = client_.size();
  CHECK(size && *size <= kMaxHeldBytes);
  while (whole_.size() < *size) {
    const Result<std::string_view> piece = co_await read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty() || piece->size() > *size - whole_.size()) {
      failed_ = true;
      co_return fail(ErrorKind::kInvalid, "bad_request", "The body is not as long as it said.");
    }
    if (piece->size() == *size) {
      whole_ = *piece;  // stays valid: nobody asks the client's body for more
      break;
    }
    if (copy_.empty()) copy_.reserve(static_cast<std::size_t>(*size));
    copy_.append(*piece);
    whole_ = copy_;
  }
  held_ = true;
  waited_ = {};
  rewind();
  co_return Result<>();
}

void ForwardedBody::rewind() {
  CHECK(held_);
  unread_ = whole_;
}

Task<Result<std::string_view>> ForwardedBody::read() {
  if (held_) co_return std::exchange(unread_, {});
  waiting_ = true;
  const SteadyTime began = clock_.steady_now();
  Result<std::string_view> piece = co_await client_.read();
  waiting_ = false;
  waited_ += clock_.steady_now() - began;
  failed_ = !piece.has_value();
  co_return piece;
}

}  // namespace parley::gateway
