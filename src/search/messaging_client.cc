#include "search/messaging_client.h"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "base/json_writer.h"
#include "http/upstream_question.h"
#include "resilience/deadline.h"

namespace parley::search {

namespace json = boost::json;

namespace {

constexpr std::size_t kMostAnswerBytes = 32 * 1024 * 1024;

std::unexpected<Error> no_answer() {
  return unavailable("unavailable", "Search cannot ask messaging now, and answers nothing unchecked.");
}

// A message's own metadata nests 32 levels deep at most, and stands within an answer.
json::parse_options parse_options() {
  json::parse_options options;
  options.max_depth = 64;
  return options;
}

void write_ids(JsonWriter& writer, std::string_view name, const std::vector<std::string>& ids) {
  writer.key(name).begin_array();
  for (const std::string& id : ids) writer.string(id);
  writer.end_array();
}

std::string lookup_body(const WantedObjects& wanted) {
  std::string body;
  JsonWriter writer(body);
  writer.begin_object();
  write_ids(writer, "messages", wanted.messages);
  write_ids(writer, "conversations", wanted.conversations);
  write_ids(writer, "users", wanted.users);
  writer.end_object();
  return body;
}

// False when it is not a list of objects with ids.
bool take_objects(json::object& answer, std::string_view name, FoundObjects::ById& found) {
  json::value* const list = answer.if_contains(name);
  if (list == nullptr) return true;
  if (!list->is_array()) return false;
  for (json::value& each : list->get_array()) {
    json::object* const object = each.if_object();
    const json::value* const id = object != nullptr ? object->if_contains("id") : nullptr;
    if (id == nullptr || !id->is_string()) return false;
    std::string key(std::string_view(id->get_string()));
    found.insert_or_assign(std::move(key), std::move(*object));
  }
  return true;
}

}  // namespace

struct MessagingClient::Call {
  http::Method method = http::Method::kGet;
  std::string target;
  std::string body;
};

Task<Result<json::object>> MessagingClient::ask(const http::Exchange& exchange, Call call, SteadyTime deadline) {
  http::Question question{call.method, std::move(call.target), {}, std::move(call.body)};
  for (const char* const name : {"Authorization", "X-Parley-User"}) {
    if (const auto value = exchange.request.fields.find(name)) question.fields.emplace_back(name, *value);
  }
  question.fields.emplace_back("X-Request-Id", exchange.request_id);
  if (!exchange.traceparent.empty()) question.fields.emplace_back("traceparent", exchange.traceparent);

  const SteadyTime until = attempt_deadline(clock_.steady_now(), deadline, kPatience);
  auto answer = co_await http::ask(messaging_, std::move(question), until, kMostAnswerBytes);
  if (!answer) co_return no_answer();
  if (answer->status == 401) {
    co_return fail(ErrorKind::kUnauthenticated, "unauthorized", "The token is not, or no longer, taken by messaging.");
  }
  if (answer->status != 200) co_return no_answer();
  json::error_code error;
  json::value value = json::parse(answer->body, error, {}, parse_options());
  if (error || !value.is_object()) co_return no_answer();
  co_return std::move(value.get_object());
}

Task<Result<Membership>> MessagingClient::membership(const http::Exchange& exchange, SteadyTime deadline) {
  auto answer = co_await ask(exchange, Call{http::Method::kGet, "/internal/scope", {}}, deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  const json::value* const list = answer->if_contains("conversations");
  const json::value* const complete = answer->if_contains("complete");
  if (list == nullptr || !list->is_array() || complete == nullptr || !complete->is_bool()) co_return no_answer();
  Membership membership;
  membership.complete = complete->get_bool();
  membership.conversations.reserve(list->get_array().size());
  for (const json::value& id : list->get_array()) {
    if (!id.is_string()) co_return no_answer();
    membership.conversations.emplace_back(std::string_view(id.get_string()));
  }
  co_return membership;
}

Task<Result<FoundObjects>> MessagingClient::lookup(const http::Exchange& exchange, WantedObjects wanted,
                                                   SteadyTime deadline) {
  FoundObjects found;
  if (wanted.empty()) co_return found;
  auto answer = co_await ask(exchange, Call{http::Method::kPost, "/internal/lookup", lookup_body(wanted)}, deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  const bool sound = take_objects(*answer, "messages", found.messages) &&
                     take_objects(*answer, "conversations", found.conversations) &&
                     take_objects(*answer, "users", found.users);
  if (!sound) co_return no_answer();
  co_return found;
}

Task<Result<>> MessagingClient::ping(SteadyTime deadline) {
  auto answer =
      co_await http::ask(messaging_, http::Question{http::Method::kGet, "/health", {}, {}}, deadline, kMostAnswerBytes);
  if (!answer) co_return fail(std::move(answer.error()));
  if (answer->status != 200) co_return no_answer();
  co_return Result<>();
}

}  // namespace parley::search
