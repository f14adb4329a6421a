// Contract: an OpenAPI 3.1 file of ours, compiled: its operations with their parameters, bodies and limits. Made once
// at start from the bytes that the build embeds, then read by all loops.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "http/openapi/schema.h"
#include "http/router.h"

namespace parley::http::openapi {

struct Parameter {
  enum class In : std::uint8_t { kPath, kQuery, kHeader };
  In in;
  std::string name;
  FieldId field = FieldId::unknown;  // of a header
  bool required = false;
  std::shared_ptr<const Schema> schema;
  std::string place;  // "query.limit": how a fault names it
};

enum class BodyFormat : std::uint8_t {
  kNone,
  kJson,
  kNdjson,
  kStream,  // `x-body: stream`: anything, which the handler reads as it comes
};

struct Operation {
  std::string id;
  Method method = Method::kGet;
  std::string pattern;
  std::string summary;
  Access access = Access::kToken;  // `security: []` is kOpen, `security: [{internal: []}]` kInternal
  std::vector<Parameter> parameters;
  BodyFormat body_format = BodyFormat::kNone;
  bool body_required = false;
  std::shared_ptr<const Schema> body;           // of the body, or of each line
  std::optional<std::uint64_t> max_body_bytes;  // nullopt: a body is not looked at
  std::uint64_t max_lines = 0;
};

class Contract {
 public:
  // kInternal, with what is wrong with the file and where: the file is ours, so this is for tests and for the start to
  // show.
  // No operation takes a body longer than `body_limit`, whatever the file allows.
  static Result<std::shared_ptr<const Contract>> parse(std::string_view yaml, std::uint64_t body_limit = UINT64_MAX);

  const std::vector<Operation>& operations() const { return operations_; }
  // Nullptr when there is none.
  const Operation* find(std::string_view operation_id) const;
  // CHECK-fails when there is none.
  const Operation& at(std::string_view operation_id) const;
  // The row of a route table for that operation: method, pattern and access come from the contract.
  Route route(std::string_view operation_id, Handler handler) const;
  std::string_view title() const { return title_; }
  // The file, as /openapi.yaml shows it.
  std::string_view text() const { return text_; }

 private:
  std::string text_;
  std::string title_;
  std::vector<Operation> operations_;
};

}  // namespace parley::http::openapi
