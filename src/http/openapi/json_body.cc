#include "http/openapi/json_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "base/text.h"

namespace parley::http::openapi {

namespace {

// Builds the tree as Boost's own handler does, and watches what that one lets pass: repeated keys and infinite numbers.
class TreeBuilder {
 public:
  static constexpr std::size_t max_object_size = 1 << 20;
  static constexpr std::size_t max_array_size = 1 << 20;
  static constexpr std::size_t max_key_size = 1 << 21;
  static constexpr std::size_t max_string_size = 1 << 21;
  using error_code = boost::system::error_code;

  enum class Fault { kNone, kRepeatedKey, kInfiniteNumber };

  void reset(json::storage_ptr storage) {
    stack_.reset(std::move(storage));
    keys_.clear();
    fault_ = Fault::kNone;
    key_hash_ = 0;
  }
  json::value release() { return stack_.release(); }
  Fault fault() const { return fault_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_array_begin(error_code&) { return true; }
  bool on_object_end(std::size_t members, error_code& ec) {
    if (has_repeated_key(members)) return refuse(Fault::kRepeatedKey, ec);
    keys_.resize(keys_.size() - members);
    stack_.push_object(members);
    return true;
  }
  bool on_array_end(std::size_t size, error_code&) {
    stack_.push_array(size);
    return true;
  }
  bool on_key_part(json::string_view text, std::size_t, error_code&) {
    stack_.push_chars(text);
    key_hash_ = mix(key_hash_, text);
    return true;
  }
  bool on_key(json::string_view text, std::size_t, error_code&) {
    stack_.push_key(text);
    keys_.push_back(mix(key_hash_, text));
    key_hash_ = 0;
    return true;
  }
  bool on_string_part(json::string_view text, std::size_t, error_code&) {
    stack_.push_chars(text);
    return true;
  }
  bool on_string(json::string_view text, std::size_t, error_code&) {
    stack_.push_string(text);
    return true;
  }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, error_code&) {
    stack_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, error_code&) {
    stack_.push_uint64(number);
    return true;
  }
  bool on_double(double number, json::string_view text, error_code& ec) {
    if (!std::isfinite(number)) return refuse(Fault::kInfiniteNumber, ec);
    // Boost's own is off by one in the last place now and then; the text is whole, since the document is.
    double nearest = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), nearest);
    stack_.push_double(read.ec == std::errc() && read.ptr == text.data() + text.size() ? nearest : number);
    return true;
  }
  bool on_bool(bool truth, error_code&) {
    stack_.push_bool(truth);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

 private:
  bool refuse(Fault fault, error_code& ec) {
    fault_ = fault;
    ec = json::error::exception;
    return false;
  }

  // A key may come in several parts, cut wherever an escape stands, the same key at other places: so byte by byte
  // (FNV-1a). Two different keys of one hash, 1 in 2^64, refuse a request that was fine; no repeated key is ever
  // missed.
  static std::uint64_t mix(std::uint64_t hash, json::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c) ^ 0x100) * 0x100000001b3ULL;
    return hash;
  }

  bool has_repeated_key(std::size_t members) {
    const auto begin = keys_.end() - static_cast<std::ptrdiff_t>(members);
    if (members > 8) {
      std::sort(begin, keys_.end());
      return std::adjacent_find(begin, keys_.end()) != keys_.end();
    }
    for (auto a = begin; a != keys_.end(); ++a) {
      if (std::find(a + 1, keys_.end(), *a) != keys_.end()) return true;
    }
    return false;
  }

  json::value_stack stack_;
  std::vector<std::uint64_t> keys_;  // of all objects still open, innermost last
  std::uint64_t key_hash_ = 0;
  Fault fault_ = Fault::kNone;
};

using Parser = json::basic_parser<TreeBuilder>;

json::parse_options options() {
  json::parse_options strict;
  strict.max_depth = kMaxDepth;
  return strict;
}

std::string describe(const boost::system::error_code& ec, TreeBuilder::Fault fault) {
  switch (fault) {
    case TreeBuilder::Fault::kRepeatedKey:
      return "an object has the same key twice";
    case TreeBuilder::Fault::kInfiniteNumber:
      return "a number is too large";
    case TreeBuilder::Fault::kNone:
      break;
  }
  if (ec == json::error::too_deep) return fmt::format("it nests deeper than {} levels", kMaxDepth);
  if (ec == json::error::incomplete) return "it ends too early";
  if (ec == json::error::extra_data) return "something follows the value";
  return ec.message();
}

}  // namespace

Result<JsonBody> parse_json(std::string_view text) {
  thread_local Parser parser(options());

  auto arena = std::make_unique<JsonBody::Arena>(std::min<std::size_t>(text.size() * 2 + 512, 64 * 1024));
  parser.reset();
  parser.handler().reset(&arena->memory);
  // Whatever a failed parse leaves on the stack stands in the arena, and must go before it does.
  const std::unique_ptr<TreeBuilder, void (*)(TreeBuilder*)> emptied(&parser.handler(),
                                                                     [](TreeBuilder* b) { b->reset({}); });
  boost::system::error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && consumed < text.size()) ec = json::error::extra_data;
  if (ec) {
    std::string what = describe(ec, parser.handler().fault());
    if (!is_valid_utf8(text)) what = "it is not UTF-8";
    if (text.empty()) what = "it is empty";
    return fail(ErrorKind::kInvalid, "invalid_json",
                fmt::format("The body is not valid JSON: {}, at byte {}.", what, consumed));
  }
  arena->value = parser.handler().release();
  return JsonBody(std::move(arena));
}

}  // namespace parley::http::openapi
