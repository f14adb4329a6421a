// NdjsonReader: a body of one JSON object a line, read line by line as it arrives, each held against the operation's
// x-line-schema. Lives in the handler's frame. Blank lines are skipped but counted, so that a fault names the line as
// an editor would, from 0.
#pragma once
#include <string>

#include "http/message.h"
#include "http/openapi/contract.h"
#include "http/openapi/json_body.h"

namespace parley::http::openapi {

class NdjsonReader {
 public:
  NdjsonReader(const Operation& operation, Body& body) : operation_(operation), body_(body) {}

  struct Line {
    std::size_t number;  // from 0
    JsonBody value;
  };
  // The next line; nullopt at the end. 400 validation_failed with paths such as "/2/author", 400 invalid_json, 413.
  Task<Result<std::optional<Line>>> next();

 private:
  Result<std::optional<Line>> take(std::string_view text);

  const Operation& operation_;
  Body& body_;
  std::string pending_;  // read, but not yet handed out
  std::size_t offset_ = 0;
  std::size_t scanned_ = 0;
  std::size_t line_ = 0;
  std::size_t taken_ = 0;
  std::uint64_t bytes_ = 0;
  bool ended_ = false;
};

}  // namespace parley::http::openapi
