#include "import/batch_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>

#include "base/text.h"

namespace parley::import {

namespace json = boost::json;

namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kNdjson = "application/x-ndjson";

json::object parse_object(const std::string& body) {
  boost::system::error_code error;
  json::value value = json::parse(body, error);
  return !error && value.is_object() ? std::move(value.get_object()) : json::object();
}

// "Forbidden: … (403)", from a problem+json as far as there is one.
std::string reason_of(const ApiAnswer& answer) {
  const json::object problem = parse_object(answer.body);
  const json::value* detail = problem.if_contains("detail");
  const std::string text = detail && detail->is_string() ? std::string(detail->get_string()) : "The server refused.";
  return fmt::format("{} (status {})", text, answer.status);
}

ErrorKind kind_of(int status) {
  switch (status) {
    case 401:
      return ErrorKind::kUnauthenticated;
    case 403:
      return ErrorKind::kForbidden;
    case 507:
      return ErrorKind::kNoRoom;
    default:
      return ErrorKind::kInvalid;
  }
}

std::unexpected<Error> refused(std::string_view what, const ApiAnswer& answer) {
  return fail(kind_of(answer.status), "import_refused", fmt::format("{}: {}", what, reason_of(answer)));
}

bool is_passing(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

std::uint64_t number_at(const json::object& object, std::string_view field) {
  const json::value* value = object.if_contains(field);
  boost::system::error_code error;
  const auto number = value ? value->to_number<std::uint64_t>(error) : 0;
  return error ? 0 : number;
}

std::string path_of(const ImportConversation& conversation) {
  return "/v1/conversations/" + percent_encode(conversation.id.value);
}

}  // namespace

OpenedConversations::State OpenedConversations::state(const ConversationId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = states_.find(id);
  return found == states_.end() ? State::kUnknown : found->second;
}

void OpenedConversations::set(const ConversationId& id, State state) {
  const std::lock_guard lock(mutex_);
  if (states_.size() >= kMax) states_.clear();
  states_[id] = state;
}

BatchSender::BatchSender(ImportApi& api, OpenedConversations& opened, ImportReport& report, const Clock& clock,
                         Random& random, SenderOptions options)
    : api_(api), opened_(opened), report_(report), clock_(clock), random_(random), options_(std::move(options)) {}

Result<> BatchSender::send(Batch batch) {
  auto state = opened_.state(batch.conversation.id);
  if (state == OpenedConversations::State::kUnknown) {
    auto opened = open(batch.conversation);
    if (!opened) return std::unexpected(std::move(opened.error()));
    state = *opened;
    opened_.set(batch.conversation.id, state);
  }
  if (state == OpenedConversations::State::kRefused) {
    report_.fault("conversation refused by the server", batch.conversation.id.value, "its messages are left out",
                  batch.lines.size());
    return {};
  }
  return store(batch);
}

Result<OpenedConversations::State> BatchSender::open(const ImportConversation& conversation) {
  using State = OpenedConversations::State;
  json::object request{{"id", conversation.id.value}, {"imported", true}};
  if (!conversation.name.empty()) request["name"] = conversation.name;
  if (!conversation.topic.empty()) request["topic"] = conversation.topic;
  auto answer = ask(http::Method::kPost, "/v1/conversations", kJson, json::serialize(request));
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (answer->status == 201 || answer->status == 200) {
    report_.conversation_opened(answer->status == 201);
    return State::kOpen;
  }
  std::string why_not = reason_of(*answer);
  if (answer->status == 409) {
    auto imported = is_imported(conversation, why_not);
    if (!imported) return std::unexpected(std::move(imported.error()));
    if (*imported) {
      report_.conversation_opened(false);
      return State::kOpen;
    }
  } else if (answer->status != 400) {
    auto refusal = refused("Cannot open the conversation " + conversation.id.value, *answer);
    if (answer->status == 403) refusal.error().detail += "; an import needs a token of an admin or a service";
    return refusal;
  }
  report_.fault("conversation refused by the server", conversation.id.value, why_not, 0);
  return State::kRefused;
}

Result<bool> BatchSender::is_imported(const ImportConversation& conversation, std::string& why_not) {
  // Renamed since, or with another topic: its fields need not be ours, so long as an import made it.
  auto answer = ask(http::Method::kGet, path_of(conversation), {}, {});
  if (!answer) return std::unexpected(std::move(answer.error()));
  if (answer->status != 200) return false;
  const json::object found = parse_object(answer->body);
  const json::value* imported = found.if_contains("imported");
  if (imported && imported->is_bool() && imported->get_bool()) return true;
  why_not = "a conversation with this id exists that no import made";
  return false;
}

Result<> BatchSender::store(Batch& batch) {
  while (!batch.lines.empty()) {
    std::string body;
    body.reserve(batch.bytes);
    for (const BatchLine& line : batch.lines) body.append(line.json).append("\n");
    auto answer = ask(http::Method::kPost, path_of(batch.conversation) + "/import", kNdjson, body);
    if (!answer) return std::unexpected(std::move(answer.error()));
    switch (answer->status) {
      case 200: {
        const json::object result = parse_object(answer->body);
        report_.batch_stored(number_at(result, "created"), number_at(result, "existing"));
        return {};
      }
      case 400:
        if (!leave_out_refused(batch, *answer)) return refused("The server refused a batch", *answer);
        break;
      case 413: {
        if (batch.lines.size() == 1) {
          report_.fault("message too large for the server", batch.lines.front().place, {});
          return {};
        }
        const auto middle = batch.lines.begin() + static_cast<std::ptrdiff_t>(batch.lines.size() / 2);
        Batch rest{
            batch.conversation, {std::make_move_iterator(middle), std::make_move_iterator(batch.lines.end())}, 0};
        batch.lines.erase(middle, batch.lines.end());
        if (auto stored = store(batch); !stored) return stored;
        batch = std::move(rest);
        break;
      }
      case 404:
      case 409:
        opened_.set(batch.conversation.id, OpenedConversations::State::kRefused);
        report_.fault("conversation refused by the server", batch.conversation.id.value, reason_of(*answer),
                      batch.lines.size());
        return {};
      default:
        return refused("Cannot import into " + batch.conversation.id.value, *answer);
    }
  }
  return {};
}

bool BatchSender::leave_out_refused(Batch& batch, const ApiAnswer& answer) {
  const json::object problem = parse_object(answer.body);
  const json::value* errors = problem.if_contains("errors");
  if (!errors || !errors->is_array()) return false;
  std::map<std::size_t, std::string> dropped;  // by line
  bool changed = false;
  for (const json::value& item : errors->get_array()) {
    const json::object* error = item.if_object();
    const json::value* path = error ? error->if_contains("path") : nullptr;
    if (!path || !path->is_string()) continue;
    std::string_view pointer = path->get_string();  // "/2/author"
    if (!pointer.starts_with('/')) continue;
    pointer.remove_prefix(1);
    const std::size_t slash = std::min(pointer.find('/'), pointer.size());
    const auto line = parse_u64(pointer.substr(0, slash));
    if (!line || *line >= batch.lines.size()) continue;
    const std::size_t next = std::min(pointer.find('/', slash + 1), pointer.size());
    const std::string_view field = pointer.substr(std::min(slash + 1, next), next - std::min(slash + 1, next));
    // A message stays worth having when what it answers is not there, or one who reacted to it has signed in since.
    if (field == "reply_to_external_id" || field == "reactions") {
      if (auto rest = without_field(batch.lines[*line].json, field)) {
        batch.lines[*line].json = std::move(*rest);
        report_.noted(field == "reactions" ? "messages whose reactions the server refused"
                                           : "replies to messages that are not there, kept as plain messages");
        changed = true;
        continue;
      }
      if (changed) continue;  // named twice in one answer
    }
    const json::value* message = error->if_contains("message");
    dropped[*line] = std::string(pointer.substr(slash)) + " " +
                     (message && message->is_string() ? std::string(message->get_string()) : std::string());
  }
  for (auto line = dropped.rbegin(); line != dropped.rend(); ++line) {
    report_.fault("refused by the server", batch.lines[line->first].place, line->second);
    batch.lines.erase(batch.lines.begin() + static_cast<std::ptrdiff_t>(line->first));
  }
  return changed || !dropped.empty();
}

Result<ApiAnswer> BatchSender::ask(http::Method method, std::string_view path, std::string_view content_type,
                                   std::string_view body) {
  const SteadyTime give_up_at = clock_.steady_now() + options_.retry_for;
  for (auto pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
    Result<ApiAnswer> answer = api_.call(method, path, content_type, body);
    const bool lost =
        !answer && (answer.error().kind == ErrorKind::kUnavailable || answer.error().kind == ErrorKind::kTimeout);
    if (!lost && (!answer || !is_passing(answer->status))) return answer;
    const std::string reason = answer ? reason_of(*answer) : answer.error().detail;
    if (report_.has_failed()) return fail(ErrorKind::kUnavailable, "import_stopped", reason);
    std::chrono::milliseconds wait(
        static_cast<std::int64_t>(static_cast<double>(pause.count()) * (0.5 + random_.unit() / 2)));
    if (answer && answer->retry_after)
      wait = std::max<std::chrono::milliseconds>(wait, std::min(*answer->retry_after, kLongestRetryAfter));
    const auto left = give_up_at - clock_.steady_now();
    // Once more at the very end, so that it is asked for as long as it says.
    const bool may_be_sooner = !answer || !answer->retry_after;
    if (left <= SteadyTime::duration::zero() || (wait > left && !may_be_sooner)) {
      return fail(
          ErrorKind::kUnavailable, "import_gave_up",
          fmt::format("Gave up, having asked again for {} s (--retry-for): {}", options_.retry_for.count(), reason));
    }
    report_.waiting(reason, std::chrono::ceil<std::chrono::seconds>(left));
    options_.pause(std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(left)));
  }
}

}  // namespace parley::import
