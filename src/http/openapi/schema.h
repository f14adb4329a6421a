// Schema: one JSON schema of a contract, compiled once, then read by all loops. It knows the subset that docs/api.md
// lists and the x- limits of ours; compile() refuses any other keyword, so that nothing in a contract is silently not
// enforced. Checking allocates only when it finds a fault; it finds them all, up to Faults::kMax.
#pragma once
#include <boost/json/value.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace YAML {
class Node;
}

namespace parley::http::openapi {

namespace json = boost::json;

// The faulty places of one request, in the order they were met.
class Faults {
 public:
  static constexpr std::size_t kMax = 20;  // more than a person mends at once

  void add(std::string path, std::string message) {
    if (fields_.size() < kMax) fields_.push_back({std::move(path), std::move(message)});
  }
  bool any() const { return !fields_.empty(); }
  bool full() const { return fields_.size() == kMax; }
  // 400 validation_failed.
  Error to_error() &&;

 private:
  std::vector<FieldError> fields_;
};

// Where in the body a value stands: a chain on the stack, made into a JSON pointer only for a fault.
struct Place {
  const Place* parent = nullptr;
  std::string_view name;  // of the member, or the prefix of the whole ("/3" for a line of NDJSON)
  std::size_t index = 0;  // of the element when `name` is empty
  std::string pointer() const;
};

class Schema {
 public:
  // Throws std::invalid_argument: what the node says is not of the subset. `root` is the document that $ref points
  // into.
  static std::shared_ptr<const Schema> compile(const YAML::Node& node, const YAML::Node& root);

  void check(const json::value& value, const Place& place, Faults& faults) const;
  // For parameters: `text` as a value of this schema (string, integer or boolean); nullopt after a fault was added.
  std::optional<json::value> read_text(std::string_view text, const std::string& path, Faults& faults) const;

  const std::optional<json::value>& default_value() const { return default_; }

 private:
  enum Type : std::uint8_t { kNull = 1, kBoolean = 2, kInteger = 4, kString = 8, kArray = 16, kObject = 32 };
  struct Property {
    std::string name;
    std::shared_ptr<const Schema> schema;
    bool required = false;
  };

  void check_string(std::string_view text, const Place& place, Faults& faults) const;
  void check_integer(const json::value& value, const Place& place, Faults& faults) const;
  void check_array(const json::array& array, const Place& place, Faults& faults) const;
  void check_object(const json::object& object, const Place& place, Faults& faults) const;
  // The first thing wrong with `text`, or nullopt.
  std::optional<std::string> fault_of_text(std::string_view text) const;
  std::optional<std::string> fault_of_integer(std::int64_t number) const;
  std::string type_names() const;
  void compile_keyword(const std::string& key, const YAML::Node& value, const YAML::Node& root);
  void compile_properties(const YAML::Node& properties, const YAML::Node& required, const YAML::Node& root);
  void compile_types(const YAML::Node& value);

  std::uint8_t types_ = 0;
  bool no_nul_ = false;
  bool no_control_chars_ = false;
  bool visible_ascii_ = false;
  bool date_time_ = false;
  bool unique_items_ = false;
  bool additional_properties_ = true;
  std::optional<std::uint64_t> min_length_, max_length_, max_bytes_;
  std::optional<std::uint64_t> min_items_, max_items_, max_properties_;
  std::optional<std::int64_t> minimum_, maximum_;
  std::vector<std::string> enum_;
  std::vector<std::string> forbidden_;  // `not: {enum: […]}`
  std::string pattern_text_;
  std::optional<std::regex> pattern_;
  std::vector<Property> properties_;
  std::shared_ptr<const Schema> items_;
  std::optional<json::value> default_;
};

}  // namespace parley::http::openapi
