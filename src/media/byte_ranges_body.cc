#include "media/byte_ranges_body.h"

#include "http/byte_ranges.h"

namespace parley::media {

namespace {

class RangeBody final : public http::Body {
 public:
  RangeBody(std::unique_ptr<BlobReader> reader, ByteRange range)
      : reader_(std::move(reader)), bytes_(reader_->read(range)) {}

  // Not coroutines: the object's own body does the work.
  Task<Result<std::string_view>> read() override { return bytes_->read(); }
  std::optional<std::uint64_t> size() const override { return bytes_->size(); }
  std::optional<http::FileRun> as_file() override { return bytes_->as_file(); }

 private:
  const std::unique_ptr<BlobReader> reader_;
  const std::unique_ptr<http::Body> bytes_;
};

class RangesBody final : public http::Body {
 public:
  RangesBody(std::unique_ptr<BlobReader> reader, std::vector<ByteRange> ranges, ByteRangesForm form)
      : reader_(std::move(reader)), ranges_(std::move(ranges)), form_(std::move(form)) {
    for (const ByteRange& range : ranges_) size_ += head_of(range).size() + range.length();
    size_ += end().size();
  }

  Task<Result<std::string_view>> read() override {
    if (bytes_) {
      auto piece = co_await bytes_->read();
      if (!piece || !piece->empty()) co_return piece;
      bytes_.reset();
    }
    if (next_ > ranges_.size()) co_return std::string_view();
    if (next_ == ranges_.size()) {
      text_ = end();
    } else {
      text_ = head_of(ranges_[next_]);
      bytes_ = reader_->read(ranges_[next_]);
    }
    ++next_;
    co_return text_;
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::string head_of(ByteRange range) const {
    std::string head = "\r\n--" + form_.boundary + "\r\nContent-Type: " + form_.content_type;
    head.append("\r\nContent-Range: ").append(http::content_range(range, form_.whole_size)).append("\r\n\r\n");
    return head;
  }
  std::string end() const { return "\r\n--" + form_.boundary + "--\r\n"; }

  const std::unique_ptr<BlobReader> reader_;
  const std::vector<ByteRange> ranges_;
  const ByteRangesForm form_;
  std::uint64_t size_ = 0;
  std::size_t next_ = 0;               // of the ranges; behind the last one comes the end
  std::string text_;                   // what was read last
  std::unique_ptr<http::Body> bytes_;  // of the range whose head was read
};

}  // namespace

std::unique_ptr<http::Body> range_body(std::unique_ptr<BlobReader> reader, ByteRange range) {
  return std::make_unique<RangeBody>(std::move(reader), range);
}

std::unique_ptr<http::Body> ranges_body(std::unique_ptr<BlobReader> reader, std::vector<ByteRange> ranges,
                                        ByteRangesForm form) {
  return std::make_unique<RangesBody>(std::move(reader), std::move(ranges), std::move(form));
}

}  // namespace parley::media
