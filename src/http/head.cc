#include "http/head.h"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/text.h"
#include "http/field_parameters.h"

namespace parley::http {

namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// Beast's grammar without its containers: fields stay views.
template <bool is_request>
class HeadParser final : public beast_http::basic_parser<is_request> {
 public:
  explicit HeadParser(Fields& fields) : fields_(fields) {
    this->header_limit(1 << 20);  // the caller bounds the head before it is parsed
    this->body_limit(boost::none);
    this->skip(true);
  }

  std::string_view method_text, target;
  int status = 0;
  int version = 11;
  bool overflow = false;

 private:
  void on_request_impl(beast_http::verb, boost::beast::string_view m, boost::beast::string_view t, int v,
                       error_code& error) override {
    error = {};
    method_text = view(m);
    target = view(t);
    version = v;
  }
  void on_response_impl(int code, boost::beast::string_view, int v, error_code& error) override {
    error = {};
    status = code;
    version = v;
  }
  void on_field_impl(beast_http::field id, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& error) override {
    error = {};
    if (!fields_.add(id, view(name), view(value))) {
      overflow = true;
      error = beast_http::error::header_limit;
    }
  }
  void on_header_impl(error_code& error) override { error = {}; }
  void on_body_init_impl(boost::optional<std::uint64_t> const&, error_code& error) override { error = {}; }
  std::size_t on_body_impl(boost::beast::string_view body, error_code& error) override {
    error = {};
    return body.size();
  }
  void on_chunk_header_impl(std::uint64_t, boost::beast::string_view, error_code& error) override { error = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body, error_code& error) override {
    error = {};
    return body.size();
  }
  void on_finish_impl(error_code& error) override { error = {}; }

  Fields& fields_;
};

std::unexpected<Error> malformed(std::string detail) {
  return fail(ErrorKind::kInvalid, "bad_request", std::move(detail));
}

// Every line ends in CRLF, none begins with white space (a fold), and no other control character but tab stands in it.
bool has_clean_lines(std::string_view text) {
  // Without a way out in the middle, so that it compiles to vector instructions.
  bool stray = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    stray |= (byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n') || byte == 0x7f;
  }
  if (stray) return false;
  while (!text.empty()) {
    if (text.front() == ' ' || text.front() == '\t') return false;
    const std::size_t end = text.find('\r');
    if (end == std::string_view::npos || text.find('\n') != end + 1) return false;
    text.remove_prefix(end + 2);
  }
  return true;
}

template <class Parser>
Result<> run(Parser& parser, std::string_view text) {
  if (!has_clean_lines(text)) return malformed("The head has a stray control character, a bare line end or a fold.");
  error_code error;
  parser.put(asio::buffer(text.data(), text.size()), error);
  if (parser.overflow) {
    return fail(ErrorKind::kHeadersTooLarge, "headers_too_large",
                "At most " + std::to_string(Fields::kMaxFields) + " header fields are allowed.");
  }
  if (error || !parser.is_header_done()) return malformed("The head is not HTTP/1.1.");
  return {};
}

// Content-Length and Transfer-Encoding to a framing; `none` is what neither means.
Result<Framing> framing_of(const Fields& fields, bool http_1_0, Framing::Kind none) {
  const std::size_t lengths = fields.count(FieldId::content_length);
  const std::size_t encodings = fields.count(FieldId::transfer_encoding);
  if (lengths + encodings > 1) return malformed("More than one Content-Length or Transfer-Encoding.");
  if (encodings == 1) {
    if (http_1_0) return malformed("Transfer-Encoding in HTTP/1.0.");
    if (!equals_ignoring_ascii_case(*fields.find(FieldId::transfer_encoding), "chunked")) {
      return malformed("The only Transfer-Encoding understood is chunked.");
    }
    return Framing{Framing::Kind::kChunked, 0};
  }
  if (lengths == 1) {
    const std::optional<std::uint64_t> length = parse_u64(*fields.find(FieldId::content_length));
    if (!length) return malformed("Content-Length is not a decimal number.");
    return *length == 0 ? Framing{} : Framing{Framing::Kind::kLength, *length};
  }
  return Framing{none, 0};
}

// Origin form, or absolute form cut to it, or `*` for OPTIONS. Anything else, and any byte that needs percent-encoding,
// is refused.
bool normalise_target(RequestHead& head) {
  std::string_view& target = head.target;
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const std::size_t authority = target.find("//") + 2;
    const std::size_t path = target.find_first_of("/?", authority);
    if (path == std::string_view::npos || path == authority) {
      if (path == authority) return false;
      target = "/";
    } else if (target[path] == '?') {
      return false;
    } else {
      target.remove_prefix(path);
    }
  }
  if (target == "*") return head.method == Method::kOptions;
  if (!target.starts_with('/')) return false;
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '#') return false;
  }
  return true;
}

}  // namespace

std::optional<std::size_t> find_head_end(std::string_view bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end != std::string_view::npos) return end + 4;
  // A head that ends in bare LFs would make us wait for more: let the parser see it and refuse.
  const std::size_t bare = bytes.find("\n\n");
  return bare == std::string_view::npos ? std::nullopt : std::optional(bare + 2);
}

std::size_t skip_empty_lines(std::string_view bytes) {
  std::size_t n = 0;
  while (n < 16 && bytes.substr(n).starts_with("\r\n")) n += 2;
  return n;
}

Result<> parse_request_head(std::string_view text, RequestHead& head) {
  head.fields.clear();
  HeadParser<true> parser(head.fields);
  if (Result<> parsed = run(parser, text); !parsed) return parsed;
  if (parser.version != 10 && parser.version != 11) return malformed("Only HTTP/1.0 and HTTP/1.1 are spoken here.");
  head.http_1_0 = parser.version == 10;
  head.method_text = parser.method_text;
  head.method = parse_method(parser.method_text);
  head.target = parser.target;
  head.keep_alive = parser.keep_alive();
  if (!is_token(head.method_text)) return malformed("The method is not a token.");
  if (!normalise_target(head)) return malformed("The request target is not a path.");
  const std::size_t hosts = head.fields.count(FieldId::host);
  if (hosts > 1 || (hosts == 0 && !head.http_1_0)) return malformed("Exactly one Host field is needed.");

  const Result<Framing> framing = framing_of(head.fields, head.http_1_0, Framing::Kind::kNone);
  if (!framing) return std::unexpected(framing.error());
  head.framing = *framing;

  const auto expect = head.fields.find(FieldId::expect);
  head.expects_continue = expect && equals_ignoring_ascii_case(*expect, "100-continue") && !head.http_1_0 &&
                          head.framing.kind != Framing::Kind::kNone;
  return {};
}

Result<> parse_response_head(std::string_view text, Method to, ResponseHead& head) {
  head.fields.clear();
  HeadParser<false> parser(head.fields);
  if (Result<> parsed = run(parser, text); !parsed) return parsed;
  head.status = parser.status;
  const bool http_1_0 = parser.version == 10;
  if (head.status < 100 || head.status > 599) return malformed("The status is not between 100 and 599.");
  const Result<Framing> framing = framing_of(head.fields, http_1_0, Framing::Kind::kUntilClose);
  if (!framing) return std::unexpected(framing.error());
  const bool bodiless = to == Method::kHead || head.status < 200 || head.status == 204 || head.status == 304;
  head.framing = bodiless ? Framing{} : *framing;
  head.keep_alive = parser.keep_alive() || bodiless;
  if (const auto connection = head.fields.find(FieldId::connection)) {
    if (equals_ignoring_ascii_case(*connection, "close")) head.keep_alive = false;
  } else if (http_1_0) {
    head.keep_alive = false;
  }
  if (head.framing.kind == Framing::Kind::kUntilClose) head.keep_alive = false;
  return {};
}

}  // namespace parley::http
