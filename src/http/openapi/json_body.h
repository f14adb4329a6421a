// A JSON text as a tree, read strictly: one value and nothing behind it, valid UTF-8, at most kMaxDepth levels, no key
// twice in one object, no number too large for a double. Any thread; the parser is kept per thread.
#pragma once
#include <boost/json/memory_resource.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>
#include <memory>
#include <string_view>

#include "base/result.h"

namespace parley::http::openapi {

namespace json = boost::json;

inline constexpr std::size_t kMaxDepth = 32;

// A parsed body with the memory it stands in. Movable; references into it stay valid when it is moved.
class JsonBody {
 public:
  const json::value& value() const { return arena_->value; }

 private:
  friend Result<JsonBody> parse_json(std::string_view text);
  struct Arena {
    explicit Arena(std::size_t bytes) : memory(bytes), value(&memory) {}
    json::monotonic_resource memory;
    json::value value;
  };
  explicit JsonBody(std::unique_ptr<Arena> arena) : arena_(std::move(arena)) {}
  std::unique_ptr<Arena> arena_;
};

// 400 invalid_json, saying what is wrong and at which byte.
Result<JsonBody> parse_json(std::string_view text);

}  // namespace parley::http::openapi
