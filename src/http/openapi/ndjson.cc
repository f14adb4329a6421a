#include "http/openapi/ndjson.h"

#include <fmt/format.h>

namespace parley::http::openapi {

namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

Task<Result<std::optional<NdjsonReader::Line>>> NdjsonReader::next() {
  for (;;) {
    const std::size_t newline = pending_.find('\n', scanned_);
    if (newline != std::string::npos || (ended_ && offset_ < pending_.size())) {
      const std::size_t end = std::min(newline, pending_.size());
      const std::string_view text = std::string_view(pending_).substr(offset_, end - offset_);
      offset_ = scanned_ = std::min(end + 1, pending_.size());
      if (is_blank(text)) {
        ++line_;
        continue;
      }
      co_return take(text);
    }
    if (ended_) co_return std::optional<Line>{};
    pending_.erase(0, offset_);
    offset_ = 0;
    scanned_ = pending_.size();
    const auto piece = co_await body_.read();
    if (!piece) co_return fail(piece.error());
    ended_ = piece->empty();
    bytes_ += piece->size();
    if (bytes_ > *operation_.max_body_bytes) {
      co_return fail(ErrorKind::kTooLarge, "payload_too_large",
                     fmt::format("The body is longer than {} bytes.", *operation_.max_body_bytes));
    }
    pending_.append(*piece);
  }
}

Result<std::optional<NdjsonReader::Line>> NdjsonReader::take(std::string_view text) {
  const std::size_t number = line_++;
  if (operation_.max_lines > 0 && ++taken_ > operation_.max_lines) {
    return invalid_field(fmt::format("/{}", number),
                         fmt::format("is a line too many; a batch has at most {}", operation_.max_lines));
  }
  auto body = parse_json(text);
  if (!body) {
    Error error = std::move(body.error());
    error.fields.push_back({fmt::format("/{}", number), "is not valid JSON"});
    error.detail = fmt::format("Line {}: {}", number, error.detail);
    return fail(std::move(error));
  }
  Faults faults;
  const std::string name = fmt::format("/{}", number);
  operation_.body->check(body->value(), Place{nullptr, name}, faults);
  if (faults.any()) return fail(std::move(faults).to_error());
  return Line{number, std::move(*body)};
}

}  // namespace parley::http::openapi
