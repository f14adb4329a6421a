#include "drivers/mongo/bson.h"

#include <memory>

#include "base/check.h"

namespace parley::mongo {

namespace {

int size_of(std::string_view text) {
  return static_cast<int>(text.size());
}

}  // namespace

bson_t View::borrowed() const {
  static constexpr std::uint8_t kEmpty[] = {5, 0, 0, 0, 0};
  bson_t bson;
  CHECK(bson_init_static(&bson, data_ ? data_ : kEmpty, data_ ? size_ : sizeof kEmpty));
  return bson;
}

bool View::find(std::string_view field, bson_iter_t& at) const {
  if (!data_ || !bson_iter_init_from_data(&at, data_, size_)) return false;
  return bson_iter_find_w_len(&at, field.data(), size_of(field)) && bson_iter_type(&at) != BSON_TYPE_NULL;
}

bool View::find_array(std::string_view field, bson_iter_t& inside) const {
  bson_iter_t at;
  return find(field, at) && BSON_ITER_HOLDS_ARRAY(&at) && bson_iter_recurse(&at, &inside);
}

bool View::has(std::string_view field) const {
  bson_iter_t at;
  return find(field, at);
}

std::optional<std::int64_t> View::optional_integer(std::string_view field) const {
  bson_iter_t at;
  if (!find(field, at) || !BSON_ITER_HOLDS_NUMBER(&at)) return std::nullopt;
  return bson_iter_as_int64(&at);
}
std::int64_t View::integer(std::string_view field) const {
  return optional_integer(field).value_or(0);
}

bool View::boolean(std::string_view field) const {
  bson_iter_t at;
  return find(field, at) && bson_iter_as_bool(&at);
}

std::string_view View::text(std::string_view field) const {
  bson_iter_t at;
  if (!find(field, at) || !BSON_ITER_HOLDS_UTF8(&at)) return {};
  std::uint32_t size = 0;
  const char* text = bson_iter_utf8(&at, &size);
  return {text, size};
}
std::optional<std::string> View::optional_text(std::string_view field) const {
  bson_iter_t at;
  if (!find(field, at) || !BSON_ITER_HOLDS_UTF8(&at)) return std::nullopt;
  return std::string(text(field));
}

std::span<const std::uint8_t> View::bytes(std::string_view field) const {
  bson_iter_t at;
  if (!find(field, at) || !BSON_ITER_HOLDS_BINARY(&at)) return {};
  bson_subtype_t subtype;
  std::uint32_t size = 0;
  const std::uint8_t* data = nullptr;
  bson_iter_binary(&at, &subtype, &size, &data);
  return {data, size};
}

std::optional<WallTime> View::optional_time(std::string_view field) const {
  bson_iter_t at;
  if (!find(field, at) || !BSON_ITER_HOLDS_DATE_TIME(&at)) return std::nullopt;
  return WallTime(std::chrono::milliseconds(bson_iter_date_time(&at)));
}
WallTime View::time(std::string_view field) const {
  return optional_time(field).value_or(WallTime{});
}

View View::document(std::string_view field) const {
  bson_iter_t at;
  if (!find(field, at)) return {};
  std::uint32_t size = 0;
  const std::uint8_t* data = nullptr;
  if (BSON_ITER_HOLDS_DOCUMENT(&at)) bson_iter_document(&at, &size, &data);
  if (BSON_ITER_HOLDS_ARRAY(&at)) bson_iter_array(&at, &size, &data);
  return data ? View(data, size) : View();
}

std::vector<std::string_view> View::texts(std::string_view field) const {
  std::vector<std::string_view> texts;
  bson_iter_t at;
  if (!find_array(field, at)) return texts;
  while (bson_iter_next(&at)) {
    if (!BSON_ITER_HOLDS_UTF8(&at)) continue;
    std::uint32_t size = 0;
    const char* text = bson_iter_utf8(&at, &size);
    texts.emplace_back(text, size);
  }
  return texts;
}

std::vector<View> View::documents(std::string_view field) const {
  std::vector<View> documents;
  bson_iter_t at;
  if (!find_array(field, at)) return documents;
  while (bson_iter_next(&at)) {
    if (!BSON_ITER_HOLDS_DOCUMENT(&at)) continue;
    std::uint32_t size = 0;
    const std::uint8_t* data = nullptr;
    bson_iter_document(&at, &size, &data);
    documents.emplace_back(data, size);
  }
  return documents;
}

std::size_t View::count(std::string_view field) const {
  bson_iter_t at;
  std::size_t count = 0;
  if (find_array(field, at)) {
    while (bson_iter_next(&at)) ++count;
  }
  return count;
}

std::string View::to_json() const {
  const bson_t bson = borrowed();
  std::size_t size = 0;
  const std::unique_ptr<char, void (*)(void*)> text(bson_as_relaxed_extended_json(&bson, &size), bson_free);
  return text ? std::string(text.get(), size) : std::string();
}

Document::Document(Document&& other) noexcept {
  // A bson_t may hold its bytes within itself: bson_steal knows how to move it.
  CHECK(bson_steal(&bson_, &other.bson_));
  bson_init(&other.bson_);
}

Document& Document::operator=(Document other) noexcept {
  bson_destroy(&bson_);
  CHECK(bson_steal(&bson_, &other.bson_));
  bson_init(&other.bson_);
  return *this;
}

Document& Document::add(std::string_view field, std::string_view value) {
  CHECK(bson_append_utf8(&bson_, field.data(), size_of(field), value.data() ? value.data() : "", size_of(value)));
  return *this;
}
Document& Document::add(std::string_view field, bool value) {
  CHECK(bson_append_bool(&bson_, field.data(), size_of(field), value));
  return *this;
}
Document& Document::add_integer(std::string_view field, std::int64_t value) {
  CHECK(bson_append_int64(&bson_, field.data(), size_of(field), value));
  return *this;
}
Document& Document::add(std::string_view field, WallTime value) {
  CHECK(bson_append_date_time(&bson_, field.data(), size_of(field), value.time_since_epoch().count()));
  return *this;
}
Document& Document::add(std::string_view field, Uuid value) {
  CHECK(bson_append_binary(&bson_, field.data(), size_of(field), BSON_SUBTYPE_UUID, value.bytes.data(),
                           static_cast<std::uint32_t>(value.bytes.size())));
  return *this;
}
Document& Document::add(std::string_view field, Binary value) {
  CHECK(bson_append_binary(&bson_, field.data(), size_of(field), BSON_SUBTYPE_BINARY, value.bytes.data(),
                           static_cast<std::uint32_t>(value.bytes.size())));
  return *this;
}
Document& Document::add(std::string_view field, Null) {
  CHECK(bson_append_null(&bson_, field.data(), size_of(field)));
  return *this;
}
Document& Document::add(std::string_view field, const Document& value) {
  CHECK(bson_append_document(&bson_, field.data(), size_of(field), &value.bson_));
  return *this;
}
Document& Document::add(std::string_view field, View value) {
  const bson_t bson = value.borrowed();
  CHECK(bson_append_document(&bson_, field.data(), size_of(field), &bson));
  return *this;
}
Document& Document::add(std::string_view field, const Array& value) {
  CHECK(bson_append_array(&bson_, field.data(), size_of(field), value.elements().get()));
  return *this;
}
Document& Document::append_all(View other) {
  const bson_t bson = other.borrowed();
  CHECK(bson_concat(&bson_, &bson));
  return *this;
}

}  // namespace parley::mongo
