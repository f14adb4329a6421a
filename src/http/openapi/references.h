// Local references ("#/components/schemas/Id") of an OpenAPI document.
#pragma once
#include <yaml-cpp/yaml.h>

namespace parley::http::openapi {

// `node` itself, or what its $ref points at. Throws std::invalid_argument when that is nothing, not local, or goes in
// circles.
YAML::Node resolve_reference(const YAML::Node& node, const YAML::Node& root);

}  // namespace parley::http::openapi
