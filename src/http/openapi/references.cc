#include "http/openapi/references.h"

#include <stdexcept>
#include <string>

namespace parley::http::openapi {

namespace {

YAML::Node look_up(const std::string& reference, const YAML::Node& root) {
  if (!reference.starts_with("#/")) throw std::invalid_argument("$ref " + reference + " is not local");
  YAML::Node at;
  at.reset(root);
  for (std::size_t begin = 2; begin <= reference.size();) {
    const std::size_t end = std::min(reference.find('/', begin), reference.size());
    const YAML::Node& parent = at;
    const YAML::Node child = parent[reference.substr(begin, end - begin)];
    if (!child) throw std::invalid_argument("$ref " + reference + " points at nothing");
    at.reset(child);
    begin = end + 1;
  }
  return at;
}

}  // namespace

YAML::Node resolve_reference(const YAML::Node& node, const YAML::Node& root) {
  constexpr int kMaxHops = 8;
  YAML::Node at;
  at.reset(node);
  for (int hop = 0; at.IsMap(); ++hop) {
    const YAML::Node& map = at;
    const YAML::Node reference = map["$ref"];
    if (!reference) break;
    if (hop == kMaxHops) throw std::invalid_argument("$ref goes in circles");
    at.reset(look_up(reference.as<std::string>(), root));
  }
  return at;
}

}  // namespace parley::http::openapi
