#include "messaging/media_client.h"

#include <boost/json/parse.hpp>

#include "base/json_writer.h"
#include "http/upstream_question.h"
#include "resilience/deadline.h"
#include "telemetry/log.h"

namespace parley::messaging {

namespace json = boost::json;

namespace {

constexpr std::size_t kMostAnswerBytes = 256 * 1024;

std::unexpected<Error> no_answer() {
  return unavailable_but_well(kFilesUnavailable, "The files that the message attaches cannot be looked up now.");
}

std::unexpected<Error> odd_answer(int status) {
  log_error("media does not tell of files as it should", {{"status", status}});
  return no_answer();
}

std::string question_body(const Caller& caller, const std::vector<FileId>& files) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  writer.key("tenant").string(caller.tenant.value);
  writer.key("user").string(caller.user.value);
  writer.key("files").begin_array();
  for (const FileId& file : files) writer.string(file.value);
  writer.end_array().end_object();
  return body;
}

const json::string* text_of(const json::object& object, std::string_view name) {
  const json::value* const value = object.if_contains(name);
  return value != nullptr ? value->if_string() : nullptr;
}

std::optional<AttachedFile> read_file(const json::value& value) {
  const json::object* const object = value.if_object();
  if (object == nullptr) return std::nullopt;
  const json::string* const id = text_of(*object, "id");
  const json::string* const filename = text_of(*object, "filename");
  const json::string* const type = text_of(*object, "content_type");
  const json::value* const size = object->if_contains("size");
  if (id == nullptr || filename == nullptr || type == nullptr || size == nullptr || !size->is_int64()) {
    return std::nullopt;
  }
  return AttachedFile{FileId(std::string_view(*id)), std::string(std::string_view(*filename)), size->get_int64(),
                      std::string(std::string_view(*type))};
}

std::optional<std::vector<AttachedFile>> read_answer(std::string_view body) {
  json::error_code error;
  const json::value value = json::parse({body.data(), body.size()}, error);
  const json::object* const object = error ? nullptr : value.if_object();
  const json::value* const list = object != nullptr ? object->if_contains("files") : nullptr;
  if (list == nullptr || !list->is_array()) return std::nullopt;
  std::vector<AttachedFile> files;
  for (const json::value& each : list->get_array()) {
    auto file = read_file(each);
    if (!file) return std::nullopt;
    files.push_back(std::move(*file));
  }
  return files;
}

}  // namespace

Task<Result<std::vector<AttachedFile>>> MediaClient::readable(Caller caller, std::vector<FileId> files,
                                                              RequestTrace trace, SteadyTime deadline) {
  http::Question question{http::Method::kPost, "/internal/files", {}, question_body(caller, files)};
  question.fields.emplace_back("Authorization", authorization_());
  if (!trace.request_id.empty()) question.fields.emplace_back("X-Request-Id", std::move(trace.request_id));
  if (!trace.traceparent.empty()) question.fields.emplace_back("traceparent", std::move(trace.traceparent));
  const SteadyTime until = attempt_deadline(clock_.steady_now(), deadline, kPatience);
  const auto answer = co_await http::ask(media_, std::move(question), until, kMostAnswerBytes);
  if (!answer) co_return no_answer();
  if (answer->status == 503 || answer->status == 504) co_return no_answer();
  if (answer->status != 200) co_return odd_answer(answer->status);
  auto found = read_answer(answer->body);
  if (!found) co_return odd_answer(answer->status);
  co_return std::move(*found);
}

}  // namespace parley::messaging
