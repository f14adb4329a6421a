#include "http/openapi/validated_request.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/text.h"
#include "http/openapi/media_type.h"
#include "http/query_text.h"

namespace parley::http::openapi {

namespace {

constexpr std::size_t kMaxNameShown = 64;

std::size_t index_of(const Operation& operation, Parameter::In in, std::string_view name) {
  std::size_t i = 0;
  while (i < operation.parameters.size() && (operation.parameters[i].in != in || operation.parameters[i].name != name))
    ++i;
  return i;
}

using Values = boost::container::small_vector_base<std::optional<json::value>>;

void read_query(const Operation& operation, std::string_view query, Values& values, Faults& faults) {
  for (std::size_t begin = 0; begin < query.size() && !faults.full();) {
    const std::size_t end = std::min(query.find('&', begin), query.size());
    const std::string_view pair = query.substr(begin, end - begin);
    begin = end + 1;
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decode_query_text(pair.substr(0, equals));
    const auto value = decode_query_text(pair.substr(std::min(equals + 1, pair.size())));
    const std::size_t at = name ? index_of(operation, Parameter::In::kQuery, *name) : operation.parameters.size();
    if (at == operation.parameters.size()) {
      const std::string shown = name && is_valid_utf8(*name) && name->size() <= kMaxNameShown ? *name : "?";
      faults.add(fmt::format("query.{}", shown), "is not a parameter of this request");
    } else if (values[at]) {
      faults.add(operation.parameters[at].place, "must not be given twice");
    } else if (!value) {
      faults.add(operation.parameters[at].place, "has a broken percent-encoding");
      values[at].emplace();
    } else {
      const Parameter& parameter = operation.parameters[at];
      values[at] = parameter.schema->read_text(*value, parameter.place, faults);
      if (!values[at]) values[at].emplace();  // given, though faulty: it is neither missing nor free to come again
    }
  }
}

void read_header(const Parameter& parameter, const Fields& fields, std::optional<json::value>& value, Faults& faults) {
  bool given = false;
  for (const Field& field : fields) {
    const bool same = parameter.field != FieldId::unknown
                          ? field.id == parameter.field
                          : field.id == FieldId::unknown && equals_ignoring_ascii_case(field.name, parameter.name);
    if (!same) continue;
    if (given) return faults.add(parameter.place, "must not be given twice");
    given = true;
    value = parameter.schema->read_text(field.value, parameter.place, faults);
  }
}

Error unsupported(std::string detail) {
  return Error{ErrorKind::kUnsupportedMediaType, "unsupported_media_type", std::move(detail), {}, {}};
}

// A body in a form we do not read is refused before any of it is.
Result<> check_media_type(const Operation& operation, const Fields& fields) {
  if (const auto coding = fields.find(FieldId::content_encoding);
      coding && !equals_ignoring_ascii_case(*coding, "identity")) {
    return fail(unsupported("A body with a Content-Encoding is not taken here."));
  }
  const bool lines = operation.body_format == BodyFormat::kNdjson;
  const std::string_view wanted = lines ? "application/x-ndjson" : "application/json";
  const auto given = fields.find(FieldId::content_type);
  if (!given) return fail(unsupported(fmt::format("The request has no Content-Type; it must be {}.", wanted)));
  const MediaType type = parse_media_type(*given);
  const bool same = equals_ignoring_ascii_case(type.name, wanted) || (!lines && is_json_suffix_type(type.name));
  if (!same) return fail(unsupported(fmt::format("The Content-Type must be {}.", wanted)));
  if (type.charset && !equals_ignoring_ascii_case(*type.charset, "utf-8"))
    return fail(unsupported("The charset must be UTF-8."));
  return {};
}

}  // namespace

const std::optional<json::value>& ValidatedRequest::value_of(std::string_view name) const {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (operation_->parameters[i].name == name)
      return values_[i] ? values_[i] : operation_->parameters[i].schema->default_value();
  }
  CHECK(!"the operation has no such parameter");
  std::abort();
}

std::optional<std::string_view> ValidatedRequest::find_text(std::string_view name) const {
  const auto& value = value_of(name);
  return value ? std::optional<std::string_view>(value->get_string()) : std::nullopt;
}

std::string_view ValidatedRequest::text(std::string_view name) const {
  const auto value = find_text(name);
  CHECK(value.has_value());
  return *value;
}

std::optional<std::int64_t> ValidatedRequest::find_integer(std::string_view name) const {
  const auto& value = value_of(name);
  return value ? std::optional<std::int64_t>(value->get_int64()) : std::nullopt;
}

std::int64_t ValidatedRequest::integer(std::string_view name) const {
  const auto value = find_integer(name);
  CHECK(value.has_value());
  return *value;
}

const json::object& ValidatedRequest::body() const {
  CHECK(body_.has_value());
  return body_->value().get_object();
}

Task<Result<ValidatedRequest>> validate(const Operation& operation, Exchange& exchange) {
  ValidatedRequest validated(operation);
  Faults faults;
  const Request& request = exchange.request;
  if (!request.query.empty()) read_query(operation, request.query, validated.values_, faults);
  for (std::size_t i = 0; i < operation.parameters.size(); ++i) {
    const Parameter& parameter = operation.parameters[i];
    auto& value = validated.values_[i];
    if (parameter.in == Parameter::In::kPath)
      value = parameter.schema->read_text(exchange.path.at(parameter.name), parameter.place, faults);
    if (parameter.in == Parameter::In::kHeader) read_header(parameter, request.fields, value, faults);
    if (parameter.in != Parameter::In::kPath && parameter.required && !value)
      faults.add(parameter.place, "is required");
  }

  std::string text;
  if (operation.body_format == BodyFormat::kNdjson) {
    if (auto media = check_media_type(operation, request.fields); !media) co_return fail(std::move(media.error()));
  } else if (operation.max_body_bytes) {
    const bool takes_json = operation.body_format == BodyFormat::kJson;
    if (takes_json && request.body->size() != 0U) {
      if (auto media = check_media_type(operation, request.fields); !media) co_return fail(std::move(media.error()));
    }
    auto read = co_await read_all(*request.body, *operation.max_body_bytes);
    if (!read) co_return fail(std::move(read.error()));
    text = std::move(*read);
    if (takes_json && (operation.body_required || !text.empty())) {
      auto body = parse_json(text);
      if (!body) co_return fail(std::move(body.error()));
      operation.body->check(body->value(), Place{}, faults);
      validated.body_ = std::move(*body);
    }
  }
  if (faults.any()) co_return fail(std::move(faults).to_error());
  co_return validated;
}

}  // namespace parley::http::openapi
