// Keys and tokens for tests: keys are made at run time, once per algorithm and process.
#pragma once
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>
#include <string>

#include "auth/signing_key.h"
#include "base/clock.h"

namespace parley::auth::testing {

inline constexpr Algorithm kAllAlgorithms[] = {
    Algorithm::kRs256, Algorithm::kRs384, Algorithm::kRs512, Algorithm::kPs256, Algorithm::kPs384,
    Algorithm::kPs512, Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512, Algorithm::kEdDsa};

inline const SigningKey& key_for(Algorithm algorithm) {
  static std::map<Algorithm, SigningKey> keys;
  auto found = keys.find(algorithm);
  if (found == keys.end()) found = keys.emplace(algorithm, SigningKey::generate(algorithm).value()).first;
  return found->second;
}

inline std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// What every token must say, good for an hour from `now`.
inline boost::json::object claims_at(WallTime now) {
  return {{"sub", "u1"}, {"tenant_id", "acme"}, {"exp", seconds_of(now) + 3600}};
}

inline boost::json::object header_of(const SigningKey& key) {
  return {{"alg", to_string(key.algorithm())}, {"typ", "JWT"}, {"kid", key.kid()}};
}

inline std::string sign(const SigningKey& key, const boost::json::object& header, const boost::json::object& claims) {
  return key.sign_compact(boost::json::serialize(header), boost::json::serialize(claims)).value();
}
inline std::string sign(const SigningKey& key, const boost::json::object& claims) {
  return sign(key, header_of(key), claims);
}

}  // namespace parley::auth::testing
