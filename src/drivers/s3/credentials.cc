#include "drivers/s3/credentials.h"

#include <boost/json/parse.hpp>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "http/upstream_question.h"

namespace parley::s3 {

namespace {

constexpr std::chrono::seconds kFileLookedAtEvery{60};
constexpr std::chrono::seconds kRenewedBefore{300};  // it expires
constexpr std::chrono::seconds kTriedAgainAfter{10};
constexpr std::size_t kMostAnswerBytes = 64 * 1024;
constexpr std::string_view kMachineRoles = "/latest/meta-data/";

std::unexpected<Error> no_credentials(std::string why) {
  return unavailable("no_credentials", "The keys to the objects' store are not to be had: " + std::move(why));
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

Result<std::string> read_small_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return no_credentials(path.string() + " cannot be read.");
  std::string text(kMostAnswerBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

CredentialsNow RenewedCredentials::usable_now() {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.wall_now();
  if (known_ && now < renew_at_) return known_;
  if (known_ && renewing_ && (!expires_at_ || now < *expires_at_)) return known_;
  renewing_ = true;
  return nullptr;
}

void RenewedCredentials::keep(FetchedCredentials fetched) {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.wall_now();
  known_ = std::make_shared<const Credentials>(std::move(fetched.credentials));
  expires_at_ = fetched.expires_at;
  renew_at_ = now + kFileLookedAtEvery;
  if (expires_at_) renew_at_ = std::max(*expires_at_ - kRenewedBefore, now + (*expires_at_ - now) / 2);
  renewing_ = false;
}

CredentialsNow RenewedCredentials::put_off() {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.wall_now();
  renewing_ = false;
  if (!known_ || (expires_at_ && now >= *expires_at_)) return nullptr;
  renew_at_ = now + kTriedAgainAfter;
  return known_;
}

void RenewedCredentials::were_refused() {
  const std::lock_guard lock(mutex_);
  renew_at_ = {};
}

Task<Result<CredentialsNow>> RenewedCredentials::current(SteadyTime deadline) {
  if (CredentialsNow usable = usable_now()) co_return usable;
  auto fetched = co_await fetch(deadline);
  if (fetched) {
    auto now = std::make_shared<const Credentials>(fetched->credentials);
    keep(std::move(*fetched));
    co_return now;
  }
  if (CredentialsNow old = put_off()) co_return old;
  co_return std::unexpected(std::move(fetched.error()));
}

Task<Result<FetchedCredentials>> FileCredentials::fetch(SteadyTime deadline) {
  return pool_.run<FetchedCredentials>(deadline, [file = file_, profile = profile_]() -> Result<FetchedCredentials> {
    const auto text = read_small_file(file);
    if (!text) return std::unexpected(text.error());
    auto found = parse_credentials_file(*text, profile);
    if (!found) return no_credentials(file.string() + " has none for the profile " + profile + ".");
    return FetchedCredentials{std::move(*found), std::nullopt};
  });
}

Task<Result<std::string>> RoleCredentials::ask(http::Method method, std::string target, NamedValue field,
                                               SteadyTime deadline) {
  http::Question question{.method = method, .target = std::move(target)};
  if (!field.name.empty()) question.fields.emplace_back(std::move(field.name), std::move(field.value));
  auto answer = co_await http::ask(*endpoint_, std::move(question), deadline, kMostAnswerBytes);
  if (!answer) co_return no_credentials("the endpoint of the role does not answer.");
  if (answer->status != 200) {
    co_return no_credentials("the endpoint of the role answered " + std::to_string(answer->status) + ".");
  }
  co_return std::move(answer->body);
}

// The field that says who asks.
Task<Result<NamedValue>> RoleCredentials::proof(SteadyTime deadline) {
  if (target_.starts_with(kMachineRoles)) {
    auto token = co_await ask(http::Method::kPut, "/latest/api/token",
                              {"X-aws-ec2-metadata-token-ttl-seconds", "21600"}, deadline);
    if (!token) co_return std::unexpected(std::move(token.error()));
    co_return NamedValue{"X-aws-ec2-metadata-token", std::string(trimmed(*token))};
  }
  if (token_file_.empty()) co_return NamedValue{};
  const auto token = co_await pool_.run<std::string>(deadline, [file = token_file_] { return read_small_file(file); });
  if (!token) co_return std::unexpected(token.error());
  co_return NamedValue{"Authorization", std::string(trimmed(*token))};
}

Task<Result<FetchedCredentials>> RoleCredentials::fetch(SteadyTime deadline) {
  const auto field = co_await proof(deadline);
  if (!field) co_return std::unexpected(field.error());
  std::string target = target_;
  if (target.starts_with(kMachineRoles) && target.ends_with('/')) {
    const auto roles = co_await ask(http::Method::kGet, target, *field, deadline);
    if (!roles) co_return std::unexpected(roles.error());
    const std::string_view first = trimmed(std::string_view(*roles).substr(0, roles->find('\n')));
    target += percent_encode(first);
  }
  const auto answer = co_await ask(http::Method::kGet, std::move(target), *field, deadline);
  if (!answer) co_return std::unexpected(answer.error());
  auto fetched = parse_role_answer(*answer);
  if (!fetched) co_return no_credentials("the endpoint of the role answered something else.");
  co_return std::move(*fetched);
}

std::optional<Credentials> parse_credentials_file(std::string_view text, std::string_view profile) {
  Credentials found;
  bool in_profile = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      in_profile = line.ends_with(']') && trimmed(line.substr(1, line.size() - 2)) == profile;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!in_profile || equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string value(trimmed(line.substr(equals + 1)));
    if (name == "aws_access_key_id") found.access_key = value;
    if (name == "aws_secret_access_key") found.secret_key = value;
    if (name == "aws_session_token") found.session_token = value;
  }
  if (found.access_key.empty() || found.secret_key.empty()) return std::nullopt;
  return found;
}

std::optional<FetchedCredentials> parse_role_answer(std::string_view json) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  const boost::json::object* const object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto text = [object](const char* name) {
    const boost::json::value* const found = object->if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  FetchedCredentials fetched{.credentials = {.access_key = text("AccessKeyId"),
                                             .secret_key = text("SecretAccessKey"),
                                             .session_token = text("Token")},
                             .expires_at = parse_rfc3339(text("Expiration"))};
  if (fetched.credentials.access_key.empty() || fetched.credentials.secret_key.empty()) return std::nullopt;
  return fetched;
}

}  // namespace parley::s3
