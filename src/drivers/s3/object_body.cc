#include "drivers/s3/object_body.h"

#include <algorithm>

namespace parley::s3 {

namespace {

std::unexpected<Error> cut() {
  return unavailable("unavailable", "Files cannot be stored or read at the moment.");
}

}  // namespace

Task<Result<std::string_view>> SlicedBody::read() {
  if (!bytes_ || at_ == bytes_->size()) co_return std::string_view();
  const std::string_view slice = std::string_view(*bytes_).substr(at_, kSlice);
  at_ += slice.size();
  co_return slice;
}

Task<Result<std::string_view>> ObjectBody::read() {
  if (left_ == 0) {
    response_.stream.reset();  // gives its connection back, if all came
    co_return std::string_view();
  }
  if (!response_.stream) {
    if (left_ != length_ || response_.body.size() != length_) co_return cut();
    left_ = 0;
    co_return std::string_view(response_.body);
  }
  auto piece = co_await response_.stream->read();
  if (!piece) co_return std::unexpected(std::move(piece.error()));
  if (piece->empty() || piece->size() > left_) co_return cut();
  left_ -= piece->size();
  co_return *piece;
}

}  // namespace parley::s3
