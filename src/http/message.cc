#include "http/message.h"

#include <array>

#include <boost/beast/http/status.hpp>

#include "base/check.h"
#include "base/text.h"

namespace parley::http {

namespace {

constexpr std::array<std::string_view, 8> kMethodNames = {"GET",   "HEAD",   "POST",    "PUT",
                                                          "PATCH", "DELETE", "OPTIONS", "-"};

// Without a way out in the middle, so that it compiles to a few vector instructions; find_first_of would call memchr
// for each character.
bool breaks_a_header(std::string_view value) {
  bool breaks = false;
  for (const char c : value) breaks |= c == '\r' || c == '\n' || c == '\0';
  return breaks;
}

// Position of the line that carries `name` in "Name: value\r\n" text, and its end; npos when absent.
struct Line {
  std::size_t begin = std::string_view::npos;
  std::size_t end = 0;
};
Line find_line(std::string_view text, std::string_view name) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find("\r\n", at) + 2;
    if (end - at > name.size() && text[at + name.size()] == ':' &&
        equals_ignoring_ascii_case(text.substr(at, name.size()), name)) {
      return {at, end};
    }
    at = end;
  }
  return {};
}

}  // namespace

std::string_view to_string(Method method) {
  return kMethodNames[static_cast<std::size_t>(method)];
}

Method parse_method(std::string_view text) {
  for (std::size_t i = 0; i + 1 < kMethodNames.size(); ++i) {
    if (kMethodNames[i] == text) return static_cast<Method>(i);
  }
  return Method::kOther;
}

bool is_safe(Method method) {
  return method == Method::kGet || method == Method::kHead || method == Method::kOptions;
}

bool is_idempotent(Method method) {
  return is_safe(method) || method == Method::kPut || method == Method::kDelete;
}

bool Fields::add(FieldId id, std::string_view name, std::string_view value) {
  if (fields_.size() == kMaxFields) return false;
  fields_.push_back({id, name, value});
  return true;
}

bool Fields::add(std::string_view name, std::string_view value) {
  return add(boost::beast::http::string_to_field({name.data(), name.size()}), name, value);
}

std::optional<std::string_view> Fields::find(FieldId id) const {
  for (const Field& field : fields_) {
    if (field.id == id) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (equals_ignoring_ascii_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t Fields::count(FieldId id) const {
  std::size_t n = 0;
  for (const Field& field : fields_) n += field.id == id;
  return n;
}

Task<Result<std::string_view>> TextBody::read() {
  co_return std::exchange(text_, {});
}

Task<Result<std::string>> read_all(Body& body, std::size_t limit) {
  const auto too_large = [limit] {
    return fail(ErrorKind::kTooLarge, "payload_too_large",
                "The body may have at most " + std::to_string(limit) + " bytes.");
  };
  if (body.size().value_or(0) > limit) co_return too_large();
  std::string text;
  text.reserve(static_cast<std::size_t>(body.size().value_or(0)));
  for (;;) {
    const Result<std::string_view> piece = co_await body.read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return text;
    if (piece->size() > limit - text.size()) co_return too_large();
    text.append(*piece);
  }
}

void Request::set_target(std::string_view text) {
  target = text;
  const std::size_t mark = text.find('?');
  path = text.substr(0, mark);
  query = mark == std::string_view::npos ? std::string_view() : text.substr(mark + 1);
}

std::optional<std::string_view> Request::query_parameter(std::string_view name) const {
  for (std::string_view rest = query; !rest.empty();) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) == name) {
      return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    }
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return std::nullopt;
}

void HeaderText::add(std::string_view name, std::string_view value) {
  if (breaks_a_header(name) || breaks_a_header(value) || name.empty()) {
#ifndef NDEBUG
    CHECK(!"a header field with CR, LF or NUL");
#endif
    return;
  }
  text_.append(name).append(": ").append(value).append("\r\n");
}

void HeaderText::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void HeaderText::remove(std::string_view name) {
  for (Line line = find_line(text_, name); line.begin != std::string_view::npos; line = find_line(text_, name)) {
    text_.erase(line.begin, line.end - line.begin);
  }
}

std::optional<std::string_view> HeaderText::find(std::string_view name) const {
  const Line line = find_line(text_, name);
  if (line.begin == std::string_view::npos) return std::nullopt;
  const std::size_t value = line.begin + name.size() + 2;
  return std::string_view(text_).substr(value, line.end - 2 - value);
}

Response text_response(int status, std::string_view content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

Response json_response(int status, std::string body) {
  return text_response(status, "application/json", std::move(body));
}

std::string_view reason_phrase(int status) {
  if (status == 413) return "Content Too Large";
  if (status == 460) return "Checksum Mismatch";
  const auto phrase = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  return {phrase.data(), phrase.size()};
}

}  // namespace parley::http
