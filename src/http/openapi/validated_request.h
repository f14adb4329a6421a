// ValidatedRequest: what a handler gets once the contract has been held against the request: decoded parameters and the
// parsed body, with defaults filled in for parameters. Lives in the handler's frame, on its loop.
#pragma once
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/exchange.h"
#include "http/openapi/contract.h"
#include "http/openapi/json_body.h"

namespace parley::http::openapi {

class ValidatedRequest {
 public:
  explicit ValidatedRequest(const Operation& operation)
      : operation_(&operation), values_(operation.parameters.size()) {}

  const Operation& operation() const { return *operation_; }
  // By the parameter's name. The find_ forms answer nullopt for one that was not given and has no default; the others
  // CHECK-fail then. The views live as long as this does.
  std::optional<std::string_view> find_text(std::string_view name) const;
  std::string_view text(std::string_view name) const;
  std::optional<std::int64_t> find_integer(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  // CHECK-fails when the operation has no JSON body, or none was given (see has_body).
  const json::object& body() const;
  bool has_body() const { return body_.has_value(); }

 private:
  friend Task<Result<ValidatedRequest>> validate(const Operation& operation, Exchange& exchange);
  const std::optional<json::value>& value_of(std::string_view name) const;

  const Operation* operation_;
  boost::container::small_vector<std::optional<json::value>, 6> values_;  // beside operation_->parameters
  std::optional<JsonBody> body_;
};

// Holds the whole request against the operation and reads its JSON body. 400 validation_failed with every faulty field,
// 400 invalid_json, 413, 415. An NDJSON body is left unread, for NdjsonReader.
Task<Result<ValidatedRequest>> validate(const Operation& operation, Exchange& exchange);

}  // namespace parley::http::openapi
