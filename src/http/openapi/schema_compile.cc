// The other half of Schema: from YAML to the compiled form.
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <stdexcept>

#include "http/openapi/references.h"
#include "http/openapi/schema.h"

namespace parley::http::openapi {

namespace {

std::uint64_t as_count(const YAML::Node& node) {
  return node.as<std::uint64_t>();
}

json::value as_json(const YAML::Node& node) {
  if (node.Tag() == "!") return json::value(node.as<std::string>());  // quoted
  std::int64_t number = 0;
  bool truth = false;
  if (YAML::convert<std::int64_t>::decode(node, number)) return json::value(number);
  if (YAML::convert<bool>::decode(node, truth)) return json::value(truth);
  return json::value(node.as<std::string>());
}

}  // namespace

std::shared_ptr<const Schema> Schema::compile(const YAML::Node& given, const YAML::Node& root) {
  const YAML::Node node = resolve_reference(given, root);
  auto schema = std::make_shared<Schema>();
  if (!node.IsMap()) throw std::invalid_argument("a schema must be a map");
  for (const auto& entry : node) schema->compile_keyword(entry.first.as<std::string>(), entry.second, root);
  if (schema->types_ == 0) throw std::invalid_argument("a schema must have a type");
  if (node["properties"]) schema->compile_properties(node["properties"], node["required"], root);
  return schema;
}

void Schema::compile_keyword(const std::string& key, const YAML::Node& value, const YAML::Node& root) {
  if (key == "type") {
    compile_types(value);
  } else if (key == "minLength") {
    min_length_ = as_count(value);
  } else if (key == "maxLength") {
    max_length_ = as_count(value);
  } else if (key == "x-max-bytes") {
    max_bytes_ = as_count(value);
  } else if (key == "minItems") {
    min_items_ = as_count(value);
  } else if (key == "maxItems") {
    max_items_ = as_count(value);
  } else if (key == "maxProperties") {
    max_properties_ = as_count(value);
  } else if (key == "minimum") {
    minimum_ = value.as<std::int64_t>();
  } else if (key == "maximum") {
    maximum_ = value.as<std::int64_t>();
  } else if (key == "x-no-nul") {
    no_nul_ = value.as<bool>();
  } else if (key == "x-no-control-chars") {
    no_control_chars_ = value.as<bool>();
  } else if (key == "x-visible-ascii") {
    visible_ascii_ = value.as<bool>();
  } else if (key == "uniqueItems") {
    unique_items_ = value.as<bool>();
  } else if (key == "additionalProperties") {
    additional_properties_ = value.as<bool>();
  } else if (key == "enum") {
    enum_ = value.as<std::vector<std::string>>();
  } else if (key == "const") {
    enum_ = {value.as<std::string>()};
  } else if (key == "not") {
    if (!value.IsMap() || value.size() != 1 || !value["enum"]) throw std::invalid_argument("not takes an enum alone");
    forbidden_ = value["enum"].as<std::vector<std::string>>();
  } else if (key == "default") {
    default_ = as_json(value);
  } else if (key == "items") {
    items_ = compile(value, root);
  } else if (key == "format") {
    if (value.as<std::string>() != "date-time") throw std::invalid_argument("format " + value.as<std::string>());
    date_time_ = true;
  } else if (key == "pattern") {
    pattern_text_ = value.as<std::string>();
    if (!pattern_text_.starts_with('^')) throw std::invalid_argument("a pattern must begin with ^");
    pattern_.emplace(pattern_text_, std::regex::ECMAScript | std::regex::optimize);
  } else if (key != "properties" && key != "required" && key != "description" && key != "title" && key != "example" &&
             key != "examples") {
    throw std::invalid_argument("schema keyword " + key + " is not of the subset");
  }
}

void Schema::compile_types(const YAML::Node& value) {
  static constexpr std::pair<std::string_view, Type> kTypes[] = {{"null", kNull},       {"boolean", kBoolean},
                                                                 {"integer", kInteger}, {"string", kString},
                                                                 {"array", kArray},     {"object", kObject}};
  const auto names = value.IsSequence() ? value.as<std::vector<std::string>>() : std::vector{value.as<std::string>()};
  for (const std::string& name : names) {
    const auto* const found = std::ranges::find(kTypes, name, [](const auto& entry) { return entry.first; });
    if (found == std::end(kTypes)) throw std::invalid_argument("type " + name);
    types_ |= found->second;
  }
}

void Schema::compile_properties(const YAML::Node& properties, const YAML::Node& required, const YAML::Node& root) {
  for (const auto& entry : properties)
    properties_.push_back({entry.first.as<std::string>(), compile(entry.second, root)});
  if (!required) return;
  for (const std::string& name : required.as<std::vector<std::string>>()) {
    const auto found = std::ranges::find(properties_, name, &Property::name);
    if (found == properties_.end()) throw std::invalid_argument("required field " + name + " is no property");
    found->required = true;
  }
}

}  // namespace parley::http::openapi
