#include "auth/auth_middleware.h"

#include <string_view>

#include "auth/internal_token.h"
#include "auth/jwt.h"
#include "base/text.h"
#include "http/problem.h"

namespace parley::auth {

namespace {

struct Credentials {
  std::string_view token;  // empty: none was sent
  std::optional<std::string_view> acting_for;
};

// The token of an Authorization field; empty if it is of another scheme.
std::string_view bearer_token(std::string_view value) {
  constexpr std::string_view kScheme = "Bearer ";
  if (value.size() <= kScheme.size() || !equals_ignoring_ascii_case(value.substr(0, kScheme.size()), kScheme))
    return {};
  value.remove_prefix(kScheme.size());
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

Result<Credentials> credentials_of(const http::Fields& fields) {
  Credentials credentials;
  bool has_authorization = false;
  for (const http::Field& field : fields) {
    if (field.id == http::FieldId::authorization) {
      if (has_authorization) return unauthorized("There is more than one Authorization field.");
      has_authorization = true;
      credentials.token = bearer_token(field.value);
      if (credentials.token.empty()) return unauthorized("The Authorization field is not of the form: Bearer TOKEN.");
    } else if (field.id == http::FieldId::unknown && equals_ignoring_ascii_case(field.name, "X-Parley-User")) {
      if (credentials.acting_for) return invalid_field("header.X-Parley-User", "must be given at most once");
      credentials.acting_for = field.value;
    }
  }
  if (!has_authorization) return unauthorized("This needs a token: Authorization: Bearer TOKEN.");
  return credentials;
}

// Who brings neither a token nor a signature has to be told of the token.
bool comes_signed(const http::Request& request) {
  return !request.fields.find(http::FieldId::authorization) && request.query_parameter("signature");
}

http::Response refusal(const http::Exchange& exchange, const Error& error) {
  http::Response response = http::problem_response(error, exchange.request_id);
  if (error.kind == ErrorKind::kUnauthenticated) {
    // RFC 6750, section 3.1: the error attribute is for a token that was sent.
    const bool sent = exchange.request.fields.find(http::FieldId::authorization).has_value();
    response.headers.add("WWW-Authenticate", sent ? R"(Bearer error="invalid_token")" : "Bearer");
  }
  return response;
}

}  // namespace

http::Middleware::Verdict AuthMiddleware::before(http::Exchange& exchange) {
  const http::Access access = exchange.route != nullptr ? exchange.route->access : http::Access::kToken;
  if (access == http::Access::kOpen) return {};
  if (access == http::Access::kTokenOrSigned && comes_signed(exchange.request)) return {};
  const Result<Credentials> sent = credentials_of(exchange.request.fields);
  if (!sent) return refusal(exchange, sent.error());
  if (access == http::Access::kInternal) {
    if (const auto checked = check_internal(sent->token); !checked) return refusal(exchange, checked.error());
    exchange.from_role = true;
    return {};
  }
  if (is_internal_token(sent->token)) {
    return refusal(exchange, unauthorized("An internal token stands for no user.").error());
  }
  auto answer = authenticator_.try_authenticate(sent->token, sent->acting_for);
  if (!answer) {
    std::optional<std::string> acting_for;
    if (sent->acting_for) acting_for.emplace(*sent->acting_for);
    return wait_for_keys(exchange, std::string(sent->token), std::move(acting_for));
  }
  if (!*answer) return refusal(exchange, answer->error());
  exchange.caller = std::move(**answer);
  return {};
}

Result<> AuthMiddleware::check_internal(std::string_view token) const {
  if (!internal_) return unauthorized("This role takes no internal calls.");
  return verify_internal_token(internal_->key, internal_->audience, token, internal_->clock.wall_now());
}

Task<std::optional<http::Response>> AuthMiddleware::wait_for_keys(http::Exchange& exchange, std::string token,
                                                                  std::optional<std::string> acting_for) {
  Authenticator::Answer answer =
      co_await authenticator_.authenticate(std::move(token), std::move(acting_for), exchange.deadline);
  if (!answer) co_return refusal(exchange, answer.error());
  exchange.caller = std::move(*answer);
  co_return std::nullopt;
}

}  // namespace parley::auth
