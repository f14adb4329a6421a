#include "auth/token.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/text.h"

namespace parley::auth {

Result<std::string> sign_token(const SigningKey& key, const TokenRequest& request, WallTime now) {
  namespace json = boost::json;
  const std::string rule = "must be " + std::string(kIdRule);
  if (!is_valid_id(request.tenant.value)) return invalid_field("tenant", rule);
  if (!is_valid_id(request.user.value)) return invalid_field("user", rule);
  if (request.ttl < std::chrono::seconds(1) || request.ttl > kMaxTtl) {
    return invalid_field("ttl", "must be between 1 second and 10 years");
  }
  if (request.name.size() > 256 || !is_valid_utf8(request.name) || has_control_characters(request.name)) {
    return invalid_field("name", "must be at most 256 bytes of UTF-8 without control characters");
  }
  const std::int64_t issued = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  json::object claims{{"sub", request.user.value},
                      {"tenant_id", request.tenant.value},
                      {"iat", issued},
                      {"exp", issued + request.ttl.count()}};
  json::array roles;
  if (request.roles.admin) roles.emplace_back("admin");
  if (request.roles.service) roles.emplace_back("service");
  if (!roles.empty()) claims["roles"] = std::move(roles);
  if (!request.name.empty()) claims["name"] = request.name;
  if (!request.issuer.empty()) claims["iss"] = request.issuer;
  if (!request.audience.empty()) claims["aud"] = request.audience;
  const json::object header{{"alg", to_string(key.algorithm())}, {"typ", "JWT"}, {"kid", key.kid()}};
  return key.sign_compact(json::serialize(header), json::serialize(claims));
}

}  // namespace parley::auth
