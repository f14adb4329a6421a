// CanonicalText: fields one after the other, each with its length, so that no two lists of fields look alike; what
// checksums of records are made over. Checksum: of texts in their order, each with all before it. Not for people. Any
// thread.
#pragma once
#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/sha256.h"

namespace parley {

class CanonicalText {
 public:
  explicit CanonicalText(std::string_view kind) { add(kind); }

  CanonicalText& add(std::string_view text) {
    const auto size = static_cast<std::uint64_t>(text.size());
    bytes_.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes_ += text;
    return *this;
  }
  CanonicalText& add(const std::string& text) { return add(std::string_view(text)); }
  CanonicalText& add(const char* text) { return add(std::string_view(text)); }
  template <std::integral Number>
  CanonicalText& add(Number number) {
    return add(std::to_string(number));
  }
  CanonicalText& add(WallTime time) { return add(time.time_since_epoch().count()); }
  template <std::size_t N>
  CanonicalText& add(const std::array<std::uint8_t, N>& bytes) {
    return add(std::string_view(reinterpret_cast<const char*>(bytes.data()), N));
  }
  template <class Tag>
  CanonicalText& add(const Id<Tag>& id) {
    return add(id.value);
  }
  template <class T>
  CanonicalText& add(const std::optional<T>& value) {
    return value ? add(true).add(*value) : add(false);
  }
  template <class T>
  CanonicalText& add(const std::vector<T>& values) {
    add(values.size());
    for (const T& value : values) add(value);
    return *this;
  }
  // Of types that say themselves what they are made of: append_to(CanonicalText&, const T&), beside the type.
  template <class T>
    requires requires(CanonicalText& text, const T& value) { append_to(text, value); }
  CanonicalText& add(const T& value) {
    append_to(*this, value);
    return *this;
  }

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Checksum {
 public:
  void add(std::string_view text) {
    std::string bytes(reinterpret_cast<const char*>(value_.data()), value_.size());
    bytes += text;
    value_ = sha256(bytes);
  }
  void add(const Checksum& other) {
    add(std::string_view(reinterpret_cast<const char*>(other.value_.data()), other.value_.size()));
  }
  std::string hex() const {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : value_) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }
  bool operator==(const Checksum&) const = default;

 private:
  Sha256 value_{};
};

}  // namespace parley
