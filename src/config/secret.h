// Secret: text that must not be shown. It has no conversion to text and no output operator, so it cannot slip into a
// log line or a message; whoever truly needs the bytes says reveal(). Any thread.
#pragma once
#include <string>
#include <utility>

namespace parley {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  bool empty() const { return value_.empty(); }
  const std::string& reveal() const { return value_; }

 private:
  std::string value_;
};

}  // namespace parley
