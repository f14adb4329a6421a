#include "media/stores/s3_blob_reader.h"

#include <algorithm>

#include "base/check.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr std::chrono::seconds kReadTimeout{30};
constexpr int kMostFailures = 3;  // in a row, without a byte between them

}  // namespace

struct S3BlobReader::Open {
  S3BlobContext& context;
  const FileId id;
  BlobLayout layout;
  const S3OpenBlobs::Use use;
};

class S3BlobReader::Reading final : public http::Body {
 public:
  Reading(std::shared_ptr<Open> open, ByteRange range)
      : open_(std::move(open)), next_(range.first), end_(range.end), size_(range.length()) {}

  Task<Result<std::string_view>> read() override {
    while (next_ < end_) {
      auto piece = co_await read_some();
      if (piece && !piece->empty()) {
        next_ += piece->size();
        failures_ = 0;
        co_return piece;
      }
      body_.reset();
      if (piece) continue;  // that run is at its end
      if (++failures_ > kMostFailures) co_return std::unexpected(port_error(std::move(piece.error())));
      if (piece.error().kind == ErrorKind::kNotFound) {
        if (auto found = co_await look_again(); !found) co_return std::unexpected(std::move(found.error()));
      } else if (piece.error().kind != ErrorKind::kUnavailable) {
        co_return std::unexpected(port_error(std::move(piece.error())));
      }
    }
    body_.reset();
    co_return std::string_view();
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  SteadyTime deadline() const { return open_->context.clock.steady_now() + kReadTimeout; }

  Task<Result<std::string_view>> read_some() {
    if (!body_) {
      const auto& runs = open_->layout.runs;
      const auto run = std::ranges::find_if(runs, [this](const Run& each) { return each.end() > next_; });
      if (run == runs.end() || run->at > next_) {
        log_error("bytes of an unfinished upload are missing", {{"file", open_->id.value}});
        co_return fail(ErrorKind::kInternal, "internal_error", "Bytes are missing.");
      }
      const std::uint64_t from = run->from + (next_ - run->at);
      const std::uint64_t length = std::min(run->end(), end_) - next_;
      auto body = co_await open_->context.client.get(run->key, {from, from + length}, deadline());
      if (!body) co_return std::unexpected(std::move(body.error()));
      body_ = std::move(*body);
    }
    co_return co_await body_->read();
  }

  Task<Result<>> look_again() {
    auto layout = co_await find_layout(open_->context, open_->id, deadline());
    if (!layout) co_return std::unexpected(std::move(layout.error()));
    if (layout->size < end_) co_return not_found("file");
    open_->layout = std::move(*layout);
    co_return Result<>();
  }

  const std::shared_ptr<Open> open_;
  std::unique_ptr<http::Body> body_;  // of the run that is being read
  std::uint64_t next_;
  const std::uint64_t end_;
  const std::uint64_t size_;
  int failures_ = 0;
};

S3BlobReader::S3BlobReader(S3BlobContext& context, FileId id, BlobLayout layout, S3OpenBlobs::Use use)
    : open_(std::make_shared<Open>(context, std::move(id), std::move(layout), std::move(use))) {}

S3BlobReader::~S3BlobReader() = default;

std::uint64_t S3BlobReader::size() const {
  return open_->layout.size;
}

std::unique_ptr<http::Body> S3BlobReader::read(ByteRange range) {
  CHECK(range.first <= range.end && range.end <= open_->layout.size);
  return std::make_unique<Reading>(open_, range);
}

std::unique_ptr<http::Body> S3SmallReader::read(ByteRange range) {
  CHECK(range.first <= range.end && range.end <= bytes_.size());
  return std::make_unique<http::TextBody>(std::string_view(bytes_).substr(range.first, range.length()));
}

}  // namespace parley::media
