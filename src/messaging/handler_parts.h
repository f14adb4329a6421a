// What handlers are made of: taking fields out of a body that the contract has checked, and answers with their headers.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "messaging/handlers.h"
#include "messaging/json_encoding.h"

namespace parley::messaging {

namespace json = boost::json;

// Fields of a body; none when the field is absent. The contract has seen to their types.
std::optional<std::string> text_field(const json::object& body, std::string_view name);
// Outer none: absent; inner none: null.
std::optional<std::optional<std::string>> nullable_text_field(const json::object& body, std::string_view name);
std::optional<MetadataText> metadata_field(const json::object& body);
std::optional<bool> boolean_field(const json::object& body, std::string_view name);

template <class SomeId>
std::optional<SomeId> id_field(const json::object& body, std::string_view name) {
  auto text = text_field(body, name);
  return text ? std::optional<SomeId>(SomeId(std::move(*text))) : std::nullopt;
}

template <class SomeId>
std::optional<std::vector<SomeId>> ids_field(const json::object& body, std::string_view name) {
  const json::value* list = body.if_contains(name);
  if (list == nullptr) return std::nullopt;
  std::vector<SomeId> ids;
  for (const json::value& id : list->get_array()) ids.emplace_back(std::string_view(id.get_string()));
  return ids;
}

// Parameters.
std::size_t page_limit(const Call& call);
SeqOrder seq_order(const Call& call);
std::optional<std::string> text_parameter(const Call& call, std::string_view name);
template <class SomeId>
SomeId path_id(const Call& call, std::string_view name) {
  return SomeId(call.request.text(name));
}

// Answers. A store's position is empty when it has none to give.
Position position_of(const std::string& position);
http::Response read_response(std::string body, std::optional<Version> version = {});
http::Response written_response(int status, std::string body, const std::string& position,
                                std::optional<Version> version = {});
http::Response deleted_response(const std::string& position);
// 412 whose ETag names the present version, where the caller may know it.
http::Response precondition_problem(const Call& call, const Error& error, std::optional<Version> present);

}  // namespace parley::messaging
