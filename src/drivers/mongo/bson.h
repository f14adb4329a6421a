// BSON without its traps. Document and Array own what they build; View borrows a document, or one within another, and
// lives no longer than the Document it came from. Building cannot fail (CHECK: a document beyond 2 GiB is our bug); a
// field that is absent or of another type reads as the empty value of the type asked for. One thread at a time.
//
//   auto filter = make_document("tenant", tenant.value, "seq", make_document("$gt", 5));
#pragma once
#include <bson/bson.h>

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace parley::mongo {

// 16 bytes that are a UUID, and bytes that are anything else: two subtypes of BSON's binary, and never equal.
struct Uuid {
  std::span<const std::uint8_t> bytes;
};
struct Binary {
  std::span<const std::uint8_t> bytes;
};
struct Null {};

class View {
 public:
  View() = default;
  View(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  explicit View(const bson_t& bson) : View(bson_get_data(&bson), bson.len) {}

  bool empty() const { return size_ <= 5; }
  // Present, and not null.
  bool has(std::string_view field) const;
  std::int64_t integer(std::string_view field) const;  // any kind of number
  std::optional<std::int64_t> optional_integer(std::string_view field) const;
  bool boolean(std::string_view field) const;
  std::string_view text(std::string_view field) const;
  std::optional<std::string> optional_text(std::string_view field) const;
  std::span<const std::uint8_t> bytes(std::string_view field) const;  // of either subtype
  WallTime time(std::string_view field) const;
  std::optional<WallTime> optional_time(std::string_view field) const;
  // A document or an array.
  View document(std::string_view field) const;
  // The elements of an array that are of the type.
  std::vector<std::string_view> texts(std::string_view field) const;
  std::vector<View> documents(std::string_view field) const;
  std::size_t count(std::string_view field) const;

  bson_t borrowed() const;
  std::string to_json() const;  // for logs of tests; never of content

 private:
  bool find(std::string_view field, bson_iter_t& at) const;
  bool find_array(std::string_view field, bson_iter_t& inside) const;

  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

class Array;

class Document {
 public:
  Document() { bson_init(&bson_); }
  explicit Document(const bson_t& other) { bson_copy_to(&other, &bson_); }
  Document(const Document& other) : Document(other.bson_) {}
  Document(Document&& other) noexcept;
  Document& operator=(Document other) noexcept;
  ~Document() { bson_destroy(&bson_); }

  // All answer *this. An absent optional adds nothing.
  Document& add(std::string_view field, std::string_view value);
  Document& add(std::string_view field, const std::string& value) { return add(field, std::string_view(value)); }
  Document& add(std::string_view field, const char* value) { return add(field, std::string_view(value)); }
  Document& add(std::string_view field, bool value);
  template <std::integral Number>
  Document& add(std::string_view field, Number value) {
    return add_integer(field, static_cast<std::int64_t>(value));
  }
  Document& add(std::string_view field, WallTime value);
  Document& add(std::string_view field, Uuid value);
  Document& add(std::string_view field, Binary value);
  Document& add(std::string_view field, Null value);
  Document& add(std::string_view field, const Document& value);
  Document& add(std::string_view field, View value);
  Document& add(std::string_view field, const Array& value);
  template <class T>
  Document& add(std::string_view field, const std::optional<T>& value) {
    return value ? add(field, *value) : *this;
  }
  Document& append_all(View other);

  View view() const { return View(bson_); }
  bool empty() const { return bson_.len <= 5; }
  const bson_t* get() const { return &bson_; }
  bson_t* get() { return &bson_; }

 private:
  Document& add_integer(std::string_view field, std::int64_t value);
  bson_t bson_;
};

class Array {
 public:
  template <class T>
  Array& add(const T& value) {
    elements_.add(std::to_string(size_++), value);
    return *this;
  }
  std::size_t size() const { return size_; }
  const Document& elements() const { return elements_; }

 private:
  Document elements_;
  std::size_t size_ = 0;
};

namespace detail {
inline void add_pairs(Document&) {}
template <class Value, class... Rest>
void add_pairs(Document& document, std::string_view field, const Value& value, const Rest&... rest) {
  document.add(field, value);
  add_pairs(document, rest...);
}
}  // namespace detail

template <class... Pairs>
Document make_document(const Pairs&... pairs) {
  Document document;
  detail::add_pairs(document, pairs...);
  return document;
}
template <class... Values>
Array make_array(const Values&... values) {
  Array array;
  (array.add(values), ...);
  return array;
}

}  // namespace parley::mongo
