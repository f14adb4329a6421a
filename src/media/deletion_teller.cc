#include "media/deletion_teller.h"

#include <map>

#include "base/json_writer.h"
#include "http/upstream_question.h"
#include "media/event_data.h"
#include "telemetry/log.h"

namespace parley::media {

namespace {

constexpr std::size_t kMostAnswerBytes = 64 * 1024;

std::string question_body(const TenantId& tenant, const std::vector<std::string>& files) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  writer.key("tenant").string(tenant.value);
  writer.key("files").begin_array();
  for (const std::string& file : files) writer.string(file);
  writer.end_array().end_object();
  return body;
}

}  // namespace

Task<Result<>> DeletionTeller::deliver(std::vector<events::Event> events, SteadyTime deadline) {
  std::map<std::string, std::vector<std::string>> deleted;  // by tenant
  for (const events::Event& event : events) {
    if (event.type != kFileDeleted) continue;
    std::vector<std::string>& files = deleted[event.tenant.value];
    files.push_back(event.subject);
    if (files.size() < kToldAtOnce) continue;
    if (auto told = co_await tell(event.tenant, std::exchange(files, {}), deadline); !told) co_return told;
  }
  for (auto& [tenant, files] : deleted) {
    if (files.empty()) continue;
    if (auto told = co_await tell(TenantId(tenant), std::move(files), deadline); !told) co_return told;
  }
  co_return Result<>{};
}

Task<Result<>> DeletionTeller::tell(TenantId tenant, std::vector<std::string> files, SteadyTime deadline) {
  http::Question question{http::Method::kPost, "/internal/deleted-files", {}, question_body(tenant, files)};
  question.fields.emplace_back("Authorization", authorization_());
  const auto answer = co_await http::ask(*messaging_, std::move(question), deadline, kMostAnswerBytes);
  if (!answer) co_return fail(answer.error());
  if (answer->status == 200) co_return Result<>{};
  if (answer->status == 400 || answer->status == 413) {  // nothing mends it, and the others must not wait behind it
    log_error("messaging does not take the names of deleted files",
              {{"status", answer->status}, {"tenant", tenant.value}, {"files", files.size()}});
    co_return Result<>{};
  }
  co_return unavailable("unavailable", "Messaging answered " + std::to_string(answer->status) + '.');
}

}  // namespace parley::media
