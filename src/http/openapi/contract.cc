#include "http/openapi/contract.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/beast/http/field.hpp>
#include <stdexcept>

#include "base/check.h"
#include "http/openapi/references.h"

namespace parley::http::openapi {

namespace {

struct MethodName {
  const char* key;
  Method method;
};
constexpr MethodName kMethods[] = {{"get", Method::kGet},        {"head", Method::kHead},   {"post", Method::kPost},
                                   {"put", Method::kPut},        {"patch", Method::kPatch}, {"delete", Method::kDelete},
                                   {"options", Method::kOptions}};

Parameter compile_parameter(const YAML::Node& given, const YAML::Node& root) {
  const YAML::Node node = resolve_reference(given, root);
  Parameter parameter;
  parameter.name = node["name"].as<std::string>();
  const auto in = node["in"].as<std::string>();
  if (in == "path") {
    parameter.in = Parameter::In::kPath;
  } else if (in == "query") {
    parameter.in = Parameter::In::kQuery;
  } else if (in == "header") {
    parameter.in = Parameter::In::kHeader;
    parameter.field = boost::beast::http::string_to_field(parameter.name);
  } else {
    throw std::invalid_argument("parameter in " + in);
  }
  parameter.required = node["required"] && node["required"].as<bool>();
  parameter.schema = Schema::compile(node["schema"], root);
  parameter.place = in + '.' + parameter.name;
  return parameter;
}

void compile_body(const YAML::Node& given, const YAML::Node& root, Operation& operation) {
  const YAML::Node node = resolve_reference(given, root);
  const YAML::Node content = node["content"];
  operation.body_required = node["required"] && node["required"].as<bool>();
  if (operation.body_format == BodyFormat::kStream) return;
  if (const YAML::Node media = content["application/json"]) {
    operation.body_format = BodyFormat::kJson;
    operation.body = Schema::compile(media["schema"], root);
  } else if (const YAML::Node lines = content["application/x-ndjson"]) {
    operation.body_format = BodyFormat::kNdjson;
    operation.body = Schema::compile(lines["x-line-schema"], root);
  } else {
    throw std::invalid_argument("the body has no content type that we read");
  }
  if (!operation.max_body_bytes) throw std::invalid_argument("an operation with a body needs x-max-body-bytes");
}

Access access_of(const YAML::Node& security) {
  if (security.size() == 0) return Access::kOpen;
  if (security.size() == 1 && security[0]["internal"]) return Access::kInternal;
  return security.size() == 2 && security[1]["signed"] ? Access::kTokenOrSigned : Access::kToken;
}

Operation compile_operation(const YAML::Node& node, const YAML::Node& root) {
  Operation operation;
  operation.id = node["operationId"].as<std::string>();
  if (const auto summary = node["summary"]) operation.summary = summary.as<std::string>();
  if (const auto security = node["security"]) operation.access = access_of(security);
  if (const auto limit = node["x-max-body-bytes"]) operation.max_body_bytes = limit.as<std::uint64_t>();
  if (const auto how = node["x-body"]) {
    if (how.as<std::string>() != "stream") throw std::invalid_argument("x-body can be stream alone");
    if (operation.max_body_bytes) throw std::invalid_argument("a body that streams has no x-max-body-bytes");
    operation.body_format = BodyFormat::kStream;
  }
  if (const auto limit = node["x-max-lines"]) operation.max_lines = limit.as<std::uint64_t>();
  for (const auto& parameter : node["parameters"]) operation.parameters.push_back(compile_parameter(parameter, root));
  if (const auto body = node["requestBody"]) compile_body(body, root, operation);
  return operation;
}

}  // namespace

Result<std::shared_ptr<const Contract>> Contract::parse(std::string_view yaml, std::uint64_t body_limit) {
  auto contract = std::make_shared<Contract>();
  contract->text_ = yaml;
  std::string where = "the document";
  try {
    const YAML::Node root = YAML::Load(contract->text_);
    if (root["info"] && root["info"]["title"]) contract->title_ = root["info"]["title"].as<std::string>();
    const YAML::Node paths = root["paths"];
    if (!paths || !paths.IsMap()) throw std::invalid_argument("there are no paths");
    for (const auto& path : paths) {
      const YAML::Node& item = path.second;
      for (const auto& [key, method] : kMethods) {
        if (!item[key]) continue;
        where = std::string(key) + ' ' + path.first.as<std::string>();
        Operation operation = compile_operation(item[key], root);
        operation.method = method;
        operation.pattern = path.first.as<std::string>();
        if (operation.max_body_bytes) operation.max_body_bytes = std::min(*operation.max_body_bytes, body_limit);
        if (contract->find(operation.id) != nullptr)
          throw std::invalid_argument("operationId " + operation.id + " twice");
        contract->operations_.push_back(std::move(operation));
      }
    }
  } catch (const std::exception& error) {  // yaml-cpp's errors and ours
    return fail(ErrorKind::kInternal, "internal_error", "OpenAPI file, " + where + ": " + error.what());
  }
  return contract;
}

const Operation* Contract::find(std::string_view operation_id) const {
  const auto found = std::ranges::find(operations_, operation_id, &Operation::id);
  return found == operations_.end() ? nullptr : &*found;
}

const Operation& Contract::at(std::string_view operation_id) const {
  const Operation* operation = find(operation_id);
  CHECK(operation != nullptr);
  return *operation;
}

Route Contract::route(std::string_view operation_id, Handler handler) const {
  const Operation& operation = at(operation_id);
  return {operation.method, operation.pattern, std::move(handler), operation.access, operation.id};
}

}  // namespace parley::http::openapi
