#include "gateway/change_follower.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/check.h"
#include "base/text.h"
#include "telemetry/log.h"

namespace parley::gateway {

namespace {

namespace json = boost::json;

// Search remembers 4,096 changes, each a tenant of at most 128 bytes.
constexpr std::size_t kMaxAnswerBytes = 2 * 1024 * 1024;
constexpr std::size_t kMaxInstanceBytes = 128;
constexpr std::size_t kMaxTenantBytes = 128;

std::unexpected<Error> malformed() {
  return fail(ErrorKind::kInvalid, "malformed_changes", "search told of its changes in a form that is not known");
}

// False: there, but no boolean.
bool read_flag(const json::object& object, std::string_view name, bool& out) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) return true;
  if (!value->is_bool()) return false;
  out = value->get_bool();
  return true;
}

// False: there, but no offset.
bool read_offset(const json::object& object, std::string_view name, std::optional<std::int64_t>& out) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr) return true;
  if (!value->is_int64() || value->get_int64() < 0) return false;
  out = value->get_int64();
  return true;
}

}  // namespace

Result<Changes> parse_changes(std::string_view text) {
  json::error_code error;
  const json::value value = json::parse(text, error);
  const json::object* const object = error ? nullptr : value.if_object();
  if (object == nullptr) return malformed();

  Changes changes;
  const json::value* const instance = object->if_contains("instance");
  if (instance == nullptr || !instance->is_string()) return malformed();
  changes.instance = std::string_view(instance->get_string());
  if (changes.instance.empty() || changes.instance.size() > kMaxInstanceBytes) return malformed();

  const json::value* const through = object->if_contains("through");
  if (through == nullptr || !through->is_int64() || through->get_int64() < 0) return malformed();
  changes.through = through->get_int64();

  if (!read_flag(*object, "all", changes.all) || !read_flag(*object, "behind", changes.behind)) return malformed();
  if (!read_offset(*object, "log_head", changes.log_head) || !read_offset(*object, "indexed", changes.indexed)) {
    return malformed();
  }
  const json::value* const tenants = object->if_contains("tenants");
  if (tenants == nullptr) return changes.all ? Result<Changes>(std::move(changes)) : malformed();
  if (!tenants->is_array()) return malformed();
  for (const json::value& tenant : tenants->get_array()) {
    if (!tenant.is_string() || tenant.get_string().size() > kMaxTenantBytes) return malformed();
    changes.tenants.emplace_back(std::string_view(tenant.get_string()));
  }
  return changes;
}

ChangeFollower::ChangeFollower(std::shared_ptr<http::Upstream> search, std::function<std::string()> token,
                               TenantEpochs& epochs, ChangeFollowerSettings settings, const Clock& clock, Timer& timer,
                               Metrics& metrics, ChangeNumbers* numbers)
    : search_(std::move(search)),
      token_(std::move(token)),
      epochs_(epochs),
      numbers_(numbers),
      settings_(settings),
      clock_(clock),
      timer_(timer),
      up_(metrics.gauge("parley_gateway_search_feed_up", "1 while search tells the gateway of its changes.")),
      failures_(metrics.counter("parley_gateway_search_feed_failures_total",
                                "Questions for search's changes that were not answered.")),
      tenant_changes_(metrics.counter("parley_gateway_search_feed_changes_total",
                                      "Changes told by search: cached answers that went.", {{"of", "tenant"}})),
      all_changes_(metrics.counter("parley_gateway_search_feed_changes_total",
                                   "Changes told by search: cached answers that went.", {{"of", "all"}})) {
  // A question that is answered as late as may be must still count for something.
  CHECK(settings.wait.count() >= 0 && settings.grace.count() > 0 && settings.pace.count() > 0);
}

void ChangeFollower::start(EventLoop& loop) {
  CHECK(tasks_ == nullptr);
  tasks_ = std::make_unique<TaskGroup>(loop);
  tasks_->spawn(run());
}

void ChangeFollower::stop(std::move_only_function<void()> on_stopped) {
  CHECK(tasks_ != nullptr);
  stopping_ = true;
  tasks_->drain(std::move(on_stopped));
}

Task<> ChangeFollower::run() {
  while (!stopping_) {
    const SteadyTime asked_at = clock_.steady_now();
    const Result<> heard = co_await ask(asked_at);
    report(heard);
    const SteadyTime next = asked_at + (heard ? settings_.pace : settings_.retry_after);
    if (!stopping_ && next > clock_.steady_now()) co_await timer_.wait_until(next);
  }
}

Task<Result<>> ChangeFollower::ask(SteadyTime asked_at) {
  const auto wait = epochs_.is_unsettled(asked_at) ? settings_.short_wait : settings_.wait;
  std::string target = fmt::format("/internal/changes?after={}&wait_ms={}", after_, wait.count());
  if (!instance_.empty()) target.append("&instance=").append(percent_encode(instance_));
  const std::string authorization = "Bearer " + token_();
  http::TextBody nothing("");
  http::Request request;
  request.method = http::Method::kGet;
  request.method_text = "GET";
  request.set_target(target);
  request.fields.add("Authorization", authorization);
  request.body = &nothing;

  Result<http::Response> answer = co_await search_->call(request, asked_at + wait + settings_.grace);
  if (!answer) co_return fail(std::move(answer.error()));
  if (answer->status != 200) {
    co_return fail(ErrorKind::kUnavailable, "refused", fmt::format("search answered {}", answer->status));
  }
  if (answer->stream) {
    Result<std::string> whole = co_await http::read_all(*answer->stream, kMaxAnswerBytes);
    if (!whole) {
      instance_.clear();  // what it said is lost, so it counts as having said anything
      co_return fail(std::move(whole.error()));
    }
    answer->body = std::move(*whole);
  }
  const Result<Changes> changes = parse_changes(answer->body);
  if (!changes) {
    instance_.clear();
    co_return fail(changes.error());
  }
  take(*changes, asked_at);
  co_return Result<>();
}

void ChangeFollower::take(const Changes& changes, SteadyTime asked_at) {
  // Another run of search numbers anew, and what happened in between nobody can tell.
  const bool anew = changes.instance != instance_ || changes.through < after_;
  const bool all = anew || changes.all;
  // First, so that who sees an epoch move finds the number that moved it.
  if (numbers_ != nullptr) numbers_->hear(changes.instance, changes.through, all, changes.tenants);
  if (all) {
    epochs_.all_changed();
    all_changes_.Increment();
  } else {
    for (const std::string& tenant : changes.tenants) epochs_.changed(tenant);
    tenant_changes_.Increment(static_cast<double>(changes.tenants.size()));
  }
  if (anew) ends_.clear();
  instance_ = changes.instance;
  after_ = changes.through;
  settle(changes, asked_at);
  if (!changes.behind) epochs_.heard(asked_at);
}

void ChangeFollower::settle(const Changes& changes, SteadyTime asked_at) {
  if (!changes.log_head || !changes.indexed) return;
  if (ends_.size() < kMostEnds) ends_.push_back({asked_at, *changes.log_head});
  for (; !ends_.empty() && ends_.front().offset <= *changes.indexed; ends_.pop_front()) {
    if (numbers_ != nullptr) numbers_->settled(ends_.front().asked_at);
    epochs_.settled(ends_.front().asked_at);
  }
}

void ChangeFollower::report(const Result<>& heard) {
  const Hearing now = heard ? Hearing::kWell : Hearing::kNot;
  if (!heard) failures_.Increment();
  if (now == hearing_) return;
  up_.Set(heard ? 1 : 0);
  if (!heard) {
    log_warn("search does not tell of its changes: cached answers are not used", {{"reason", heard.error().detail}});
  } else if (hearing_ == Hearing::kNot) {
    log_info("search tells of its changes again");
  }
  hearing_ = now;
}

}  // namespace parley::gateway
