// Bodies that go to S3 and come from it. Each is used by one task on its loop.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "http/message.h"

namespace parley::s3 {

using Bytes = std::shared_ptr<const std::string>;

// Bytes in memory, handed out in slices, so that a slow way out is seen to make progress.
class SlicedBody final : public http::Body {
 public:
  // Null: nothing.
  explicit SlicedBody(Bytes bytes) : bytes_(std::move(bytes)) {}
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const override { return bytes_ ? bytes_->size() : 0; }

 private:
  static constexpr std::size_t kSlice = 128 * 1024;
  const Bytes bytes_;
  std::size_t at_ = 0;
};

// Exactly `length` bytes of an answer, however it came. Whatever is to live as long (the request, the place among the
// connections) is in `kept`. unavailable when fewer come.
class ObjectBody final : public http::Body {
 public:
  ObjectBody(http::Response response, std::uint64_t length, std::shared_ptr<void> kept)
      : kept_(std::move(kept)), response_(std::move(response)), length_(length), left_(length) {}
  Task<Result<std::string_view>> read() override;
  std::optional<std::uint64_t> size() const override { return length_; }

 private:
  const std::shared_ptr<void> kept_;
  http::Response response_;
  const std::uint64_t length_;
  std::uint64_t left_;
};

}  // namespace parley::s3
