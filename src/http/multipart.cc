#include "http/multipart.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "http/content_disposition.h"
#include "http/field_parameters.h"

namespace parley::http {

namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::unexpected<Error> invalid_multipart(std::string detail) {
  return fail(ErrorKind::kInvalid, "invalid_multipart", std::move(detail));
}

// RFC 2046 section 5.1.1.
bool is_boundary(std::string_view text) {
  static constexpr std::string_view kOthers = "'()+_,-./:=? ";
  if (text.empty() || text.size() > 70 || text.ends_with(' ')) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  const auto differ = std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin());
  return static_cast<std::size_t>(differ.first - a.begin());
}

std::string_view without_blanks_around(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool has_controls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

// The bytes of a part are its content as they are: RFC 7578 section 4.7 has no other encoding any more.
bool is_identity(std::string_view encoding) {
  for (const std::string_view known : {"7bit", "8bit", "binary"}) {
    if (equals_ignoring_ascii_case(encoding, known)) return true;
  }
  return false;
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  const std::optional<ParameterizedValue> parsed = parse_parameterized(content_type);
  if (!parsed || parsed->value != "multipart/form-data") {
    return fail(ErrorKind::kUnsupportedMediaType, "unsupported_media_type", "The body must be multipart/form-data.");
  }
  const std::string* const boundary = parsed->find("boundary");
  if (boundary == nullptr || !is_boundary(*boundary)) {
    return invalid_multipart("Content-Type names no boundary of 1 to 70 allowed characters.");
  }
  return *boundary;
}

MultipartReader::MultipartReader(Body& body, std::string_view boundary, MultipartLimits limits)
    : body_(body), delimiter_("\r\n--" + std::string(boundary)), limits_(limits) {
  CHECK(is_boundary(boundary));
}

Task<Result<std::string_view>> MultipartReader::Content::read() {
  CHECK(reader_.parts_ > 0);
  if (reader_.place_ == Place::kFailed) co_return invalid_multipart("The form is broken.");
  if (reader_.place_ != Place::kContent) co_return std::string_view();
  co_return co_await reader_.read_content();
}

Task<Result<bool>> MultipartReader::next() {
  while (place_ == Place::kContent) {
    const Result<std::string_view> unread = co_await read_content();
    if (!unread) co_return std::unexpected(unread.error());
    skipped_ += unread->size();
    if (skipped_ > limits_.skipped_bytes) co_return too_large("The form holds too much that is no file.");
  }
  if (place_ == Place::kFailed) co_return invalid_multipart("The form is broken.");
  if (place_ == Place::kEnd) co_return false;
  co_return co_await read_head();
}

Task<Result<>> MultipartReader::fetch() {
  const Result<std::string_view> piece = co_await body_.read();
  if (!piece) {
    place_ = Place::kFailed;
    co_return std::unexpected(piece.error());
  }
  if (piece->empty()) co_return broken("The form ends before its last boundary.");
  rest_ = *piece;
  co_return Result<>();
}

Task<Result<std::string_view>> MultipartReader::read_content() {
  for (;;) {
    if (rest_.empty()) {
      if (const Result<> more = co_await fetch(); !more) co_return std::unexpected(more.error());
    }
    const std::string_view content = take_content();
    if (!content.empty() || place_ != Place::kContent) co_return content;
  }
}

std::string_view MultipartReader::take_content() {
  const std::string_view delimiter = delimiter_;
  if (matched_ > 0) {
    const std::size_t more = common_prefix(rest_, delimiter.substr(matched_));
    if (matched_ + more < delimiter.size() && more < rest_.size()) {
      // No delimiter after all, but content; and no other begins in it, for the only CR of a delimiter is its first
      // byte.
      return delimiter.substr(0, std::exchange(matched_, 0));
    }
    rest_.remove_prefix(more);
    matched_ += more;
  } else {
    std::size_t at = rest_.find('\r');
    for (; at != std::string_view::npos; at = rest_.find('\r', at + 1)) {
      matched_ = common_prefix(rest_.substr(at), delimiter);
      if (matched_ == delimiter.size() || at + matched_ == rest_.size()) break;
    }
    if (at == std::string_view::npos) {
      matched_ = 0;
      return std::exchange(rest_, {});
    }
    const std::string_view content = rest_.substr(0, at);
    rest_.remove_prefix(at + matched_);
    if (matched_ < delimiter.size()) return content;
    matched_ = 0;
    place_ = Place::kDelimiter;
    return content;
  }
  if (matched_ == delimiter.size()) {
    matched_ = 0;
    place_ = Place::kDelimiter;
  }
  return {};
}

Task<Result<bool>> MultipartReader::read_head() {
  head_.clear();
  for (std::size_t end = std::string::npos; end == std::string::npos;) {
    if (rest_.empty()) {
      if (const Result<> more = co_await fetch(); !more) co_return std::unexpected(more.error());
    }
    const std::size_t had = head_.size();
    head_.append(rest_.substr(0, limits_.head_bytes - had));
    if (head_.starts_with("--")) {
      place_ = Place::kEnd;
      co_return false;
    }
    end = head_.find(kHeadEnd, had < kHeadEnd.size() ? 0 : had - kHeadEnd.size());
    if (end != std::string::npos) head_.resize(end + kHeadEnd.size());
    rest_.remove_prefix(head_.size() - had);
    if (end == std::string::npos && head_.size() == limits_.head_bytes) {
      co_return too_large("The header fields of a part of the form are too large.");
    }
  }
  if (++parts_ > limits_.parts) co_return too_large("The form has too many parts.");
  if (const Result<> parsed = parse_head(); !parsed) co_return std::unexpected(parsed.error());
  place_ = Place::kContent;
  co_return true;
}

Result<> MultipartReader::parse_head() {
  part_ = {};
  std::string_view text = head_;
  text.remove_prefix(std::min(text.find('\r'), text.size()));
  if (!without_blanks_around(std::string_view(head_).substr(0, head_.size() - text.size())).empty() ||
      !text.starts_with("\r\n")) {
    return broken("A boundary of the form is followed by something else than a line's end.");
  }
  text.remove_prefix(2);
  while (text.size() > 2) {  // the last line is empty
    const std::size_t end = text.find("\r\n");
    if (const Result<> parsed = parse_line(text.substr(0, end)); !parsed) return parsed;
    text.remove_prefix(end + 2);
  }
  const auto value = part_.fields.find(FieldId::content_disposition);
  std::optional<ContentDisposition> disposition = value ? parse_form_disposition(*value) : std::nullopt;
  if (!disposition || disposition->type != "form-data" || !disposition->name) {
    return broken("A part of the form has no Content-Disposition of form-data with a name.");
  }
  part_.name = std::move(*disposition->name);
  part_.filename = std::move(disposition->filename);
  part_.content_type = part_.fields.find(FieldId::content_type).value_or("");
  return {};
}

Result<> MultipartReader::parse_line(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  if (!is_token(line.substr(0, colon)) || colon == line.size() || has_controls(line)) {
    return broken("A header field of a part of the form is malformed.");
  }
  const std::string_view name = line.substr(0, colon), value = without_blanks_around(line.substr(colon + 1));
  const bool again = equals_ignoring_ascii_case(name, "Content-Disposition") && part_.fields.find(name);
  if (again) return broken("A part of the form has two Content-Dispositions.");
  if (equals_ignoring_ascii_case(name, "Content-Transfer-Encoding") && !is_identity(value)) {
    return broken("A part of the form is encoded, which forms are not any more.");
  }
  if (!part_.fields.add(name, value)) return too_large("A part of the form has too many header fields.");
  return {};
}

std::unexpected<Error> MultipartReader::broken(std::string detail) {
  place_ = Place::kFailed;
  return invalid_multipart(std::move(detail));
}

std::unexpected<Error> MultipartReader::too_large(std::string detail) {
  place_ = Place::kFailed;
  return fail(ErrorKind::kTooLarge, "payload_too_large", std::move(detail));
}

}  // namespace parley::http
