#include "media/upstream_attachment_access.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/json_writer.h"
#include "http/upstream_question.h"
#include "resilience/deadline.h"

namespace parley::media {

namespace {

constexpr std::size_t kMostAnswerBytes = 4096;

std::unexpected<Error> no_answer() {
  return unavailable_but_well("unavailable", "Media cannot ask messaging now who may read the file.");
}

std::string question_body(const Reader& reader, const FileId& file) {
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  json.key("tenant").string(reader.tenant.value);
  json.key("user").string(reader.user.value);
  json.key("file").string(file.value);
  json.end_object();
  return body;
}

}  // namespace

Task<Result<bool>> UpstreamAttachmentAccess::shows(Reader reader, FileId file, SteadyTime deadline) {
  http::Question question{http::Method::kPost, "/internal/attachment-access", {}, question_body(reader, file)};
  question.fields.emplace_back("Authorization", authorization_());
  if (!reader.request_id.empty()) question.fields.emplace_back("X-Request-Id", std::move(reader.request_id));
  if (!reader.traceparent.empty()) question.fields.emplace_back("traceparent", std::move(reader.traceparent));
  const SteadyTime until = attempt_deadline(clock_.steady_now(), deadline, kPatience);
  const auto answer = co_await http::ask(*messaging_, std::move(question), until, kMostAnswerBytes);
  if (!answer || answer->status != 200) co_return no_answer();
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(answer->body, error);
  if (error || !value.is_object()) co_return no_answer();
  const boost::json::value* const readable = value.get_object().if_contains("readable");
  if (readable == nullptr || !readable->is_bool()) co_return no_answer();
  co_return readable->get_bool();
}

}  // namespace parley::media
