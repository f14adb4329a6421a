#include "messaging/handler_parts.h"

#include "base/json_writer.h"
#include "http/problem.h"
#include "messaging/if_match.h"

namespace parley::messaging {

std::optional<std::string> text_field(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr) return std::nullopt;
  return std::string(std::string_view(value->get_string()));
}

std::optional<std::optional<std::string>> nullable_text_field(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_null()) return std::optional<std::string>();
  return std::optional<std::string>(std::string_view(value->get_string()));
}

std::optional<MetadataText> metadata_field(const json::object& body) {
  const json::value* value = body.if_contains("metadata");
  return value != nullptr ? std::optional<MetadataText>(canonical_json(*value)) : std::nullopt;
}

std::optional<bool> boolean_field(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr ? std::optional<bool>(value->get_bool()) : std::nullopt;
}

std::size_t page_limit(const Call& call) {
  return static_cast<std::size_t>(call.request.integer("limit"));
}

SeqOrder seq_order(const Call& call) {
  return call.request.text("order") == "asc" ? SeqOrder::kOldestFirst : SeqOrder::kNewestFirst;
}

std::optional<std::string> text_parameter(const Call& call, std::string_view name) {
  const auto text = call.request.find_text(name);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

Position position_of(const std::string& position) {
  return position.empty() ? Position() : Position(position);
}

http::Response read_response(std::string body, std::optional<Version> version) {
  http::Response response = http::json_response(200, std::move(body));
  if (version) response.headers.add("ETag", entity_tag(*version));
  return response;
}

http::Response written_response(int status, std::string body, const std::string& position,
                                std::optional<Version> version) {
  http::Response response = http::json_response(status, std::move(body));
  if (version) response.headers.add("ETag", entity_tag(*version));
  if (!position.empty()) response.headers.add("X-Parley-Position", position);
  return response;
}

http::Response deleted_response(const std::string& position) {
  http::Response response;
  response.status = 204;
  if (!position.empty()) response.headers.add("X-Parley-Position", position);
  return response;
}

http::Response precondition_problem(const Call& call, const Error& error, std::optional<Version> present) {
  http::Response response = http::problem_response(error, call.exchange.request_id);
  if (present) response.headers.add("ETag", entity_tag(*present));
  return response;
}

}  // namespace parley::messaging
