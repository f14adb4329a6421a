#include "search/store_scan.h"

#include <boost/json/parse.hpp>

#include "base/text.h"
#include "http/upstream_question.h"
#include "search/json_fields.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

// Metadata nests 31 levels deep at most, within an item within the answer.
boost::json::parse_options deep_enough() {
  boost::json::parse_options options;
  options.max_depth = 64;
  return options;
}

using boost::json::value;

constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;  // a page of the longest messages, with room

std::optional<TenantId> read_tenant(const value& item) {
  if (!item.is_string() || !is_valid_id(item.get_string())) return std::nullopt;
  return TenantId(std::string(item.get_string()));
}

std::optional<UserWritten> read_user(const value& item) {
  if (!item.is_object()) return std::nullopt;
  auto user = stored_user(item.get_object());
  if (!user) return std::nullopt;
  return std::move(*user);
}

std::optional<ScannedConversation> read_conversation(const value& item) {
  if (!item.is_object()) return std::nullopt;
  auto entry = stored_conversation(item.get_object());
  if (!entry) return std::nullopt;
  JsonFields fields(item.get_object());
  ScannedConversation scanned{.id = {}, .last_seq = fields.integer("last_seq"), .entry = std::move(*entry)};
  fields.read_id("id", scanned.id);
  if (fields.fault()) return std::nullopt;
  return scanned;
}

std::optional<ScannedMessage> read_message(const value& item) {
  if (!item.is_object()) return std::nullopt;
  auto what = stored_message(item.get_object());
  if (!what) return std::nullopt;
  JsonFields fields(item.get_object());
  ScannedMessage scanned{.seq = fields.integer("seq"), .what = std::move(*what)};
  if (fields.fault()) return std::nullopt;
  return scanned;
}

std::unexpected<Error> odd_answer() {
  return fail(ErrorKind::kInternal, "internal_error", "Messaging answered something that is no page of a scan.");
}

// `?name=value` parameters in order; an absent value is left out.
class Target {
 public:
  explicit Target(std::string_view path) : text_(path) {}
  Target& add(std::string_view name, const std::optional<std::string>& given) {
    if (!given) return *this;
    text_ += std::exchange(separator_, '&');
    text_ += name;
    text_ += '=';
    text_ += percent_encode(*given);
    return *this;
  }
  Target& add(std::string_view name, std::size_t number) { return add(name, std::to_string(number)); }
  std::string done() { return std::move(text_); }

 private:
  std::string text_;
  char separator_ = '?';
};

std::optional<std::string> next_of(const boost::json::object& answer) {
  const value* next = answer.if_contains("next");
  if (next == nullptr || next->is_null()) return std::nullopt;
  if (next->is_string()) return std::string(next->get_string());
  return next->is_int64() ? std::optional(std::to_string(next->get_int64())) : std::nullopt;
}

}  // namespace

UpstreamStoreScan::UpstreamStoreScan(http::Upstream& messaging, std::function<std::string()> authorization)
    : messaging_(messaging), authorization_(std::move(authorization)) {}

template <class T>
Task<Result<ScanPage<T>>> UpstreamStoreScan::page(std::string target, std::optional<T> (*read)(const value&),
                                                  SteadyTime deadline) {
  http::Question question;
  question.target = std::move(target);
  question.fields.emplace_back("Authorization", authorization_());
  auto answer = co_await http::ask(messaging_, std::move(question), deadline, kMaxAnswerBytes);
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  if (answer->status == 404) co_return not_found("conversation");
  if (answer->status != 200) {
    co_return unavailable("upstream_unavailable",
                          "Messaging answered " + std::to_string(answer->status) + " when it was read.");
  }
  boost::system::error_code error;
  const value body = boost::json::parse(answer->body, error, {}, deep_enough());
  const boost::json::object* object = error ? nullptr : body.if_object();
  const value* items = object == nullptr ? nullptr : object->if_contains("items");
  if (items == nullptr || !items->is_array()) co_return odd_answer();
  ScanPage<T> page{.items = {}, .next = next_of(*object)};
  for (const value& item : items->get_array()) {
    if (auto one = read(item)) {
      page.items.push_back(std::move(*one));
    } else {
      log_error("an item of the store cannot be read for the search index");
    }
  }
  co_return page;
}

Task<Result<ScanPage<TenantId>>> UpstreamStoreScan::tenants(After after, std::size_t limit, SteadyTime deadline) {
  return page(Target("/internal/tenants").add("after", after).add("limit", limit).done(), read_tenant, deadline);
}

Task<Result<ScanPage<UserWritten>>> UpstreamStoreScan::users(TenantId tenant, After after, std::size_t limit,
                                                             SteadyTime deadline) {
  return page(Target("/internal/scan/users").add("tenant", tenant.value).add("after", after).add("limit", limit).done(),
              read_user, deadline);
}

Task<Result<ScanPage<ScannedConversation>>> UpstreamStoreScan::conversations(TenantId tenant, After after,
                                                                             std::size_t limit, SteadyTime deadline) {
  return page(
      Target("/internal/scan/conversations").add("tenant", tenant.value).add("after", after).add("limit", limit).done(),
      read_conversation, deadline);
}

Task<Result<ScanPage<ScannedMessage>>> UpstreamStoreScan::messages(TenantId tenant, ConversationId conversation,
                                                                   After after, std::size_t limit,
                                                                   SteadyTime deadline) {
  return page(Target("/internal/scan/messages")
                  .add("tenant", tenant.value)
                  .add("conversation_id", conversation.value)
                  .add("after_seq", after)
                  .add("limit", limit)
                  .done(),
              read_message, deadline);
}

}  // namespace parley::search
