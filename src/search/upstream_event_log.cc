#include "search/upstream_event_log.h"

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/text.h"
#include "http/upstream_question.h"

namespace parley::search {

namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

std::unexpected<Error> odd_answer() {
  return fail(ErrorKind::kInternal, "internal_error", "Messaging answered something that says nothing of its log.");
}

std::optional<events::LogOffset> offset_in(const boost::json::object& answer, std::string_view name) {
  const auto* value = answer.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return std::nullopt;
  return events::LogOffset{value->get_int64()};
}

std::optional<events::PositionCodec::Secret> secret_in(const boost::json::object& answer) {
  const auto* value = answer.if_contains("position_secret");
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const auto bytes = hex_decode(value->get_string());
  events::PositionCodec::Secret secret{};
  if (!bytes || bytes->size() != secret.size()) return std::nullopt;
  std::ranges::copy(*bytes, secret.begin());
  return secret;
}

}  // namespace

UpstreamEventLog::UpstreamEventLog(http::Upstream& messaging, std::function<std::string()> authorization)
    : messaging_(messaging), authorization_(std::move(authorization)) {}

std::unexpected<Error> UpstreamEventLog::elsewhere() {
  return unavailable("unavailable", "That is messaging's alone to do with its log.");
}

Task<Result<UpstreamEventLog::Ends>> UpstreamEventLog::ask(SteadyTime deadline) {
  http::Question question;
  question.target = "/internal/log";
  question.fields.emplace_back("Authorization", authorization_());
  auto answer = co_await http::ask(messaging_, std::move(question), deadline, kMaxAnswerBytes);
  if (!answer) co_return fail(std::move(answer.error()));
  if (answer->status != 200) {
    co_return unavailable("upstream_unavailable",
                          "Messaging answered " + std::to_string(answer->status) + " when it was asked for its log.");
  }
  boost::system::error_code error;
  const boost::json::value body = boost::json::parse(answer->body, error);
  const boost::json::object* object = error ? nullptr : body.if_object();
  if (object == nullptr) co_return odd_answer();
  const auto head = offset_in(*object, "head");
  const auto tail = offset_in(*object, "tail");
  const auto secret = secret_in(*object);
  if (!head || !tail || !secret) co_return odd_answer();
  auto codec = std::make_shared<const events::PositionCodec>(*secret);
  {
    const std::lock_guard lock(mutex_);
    positions_ = std::move(codec);
  }
  co_return Ends{*head, *tail};
}

Task<Result<events::LogOffset>> UpstreamEventLog::head(SteadyTime deadline) {
  const auto ends = co_await ask(deadline);
  if (!ends) co_return fail(ends.error());
  co_return ends->head;
}

Task<Result<events::LogOffset>> UpstreamEventLog::tail(SteadyTime deadline) {
  const auto ends = co_await ask(deadline);
  if (!ends) co_return fail(ends.error());
  co_return ends->tail;
}

std::shared_ptr<const events::PositionCodec> UpstreamEventLog::positions() const {
  const std::lock_guard lock(mutex_);
  return positions_;
}

std::string UpstreamEventLog::position_of(const TenantId& tenant, events::LogOffset offset) const {
  const auto codec = positions();
  return codec ? codec->encode(tenant, offset) : std::string();
}

std::optional<events::LogOffset> UpstreamEventLog::offset_of(const TenantId& tenant, std::string_view position) const {
  const auto codec = positions();
  return codec ? codec->decode(tenant, position) : std::nullopt;
}

}  // namespace parley::search
