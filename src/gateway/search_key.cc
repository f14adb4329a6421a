#include "gateway/search_key.h"

#include <algorithm>
#include <array>
#include <boost/container/static_vector.hpp>
#include <cstdint>

#include "base/text.h"
#include "http/query_text.h"

namespace parley::gateway {

namespace {

// Longer ones are answered by search alone: most of them with 400.
constexpr std::size_t kMaxQueryBytes = 4096;
constexpr std::size_t kMaxTextBytes = 1024;
constexpr std::size_t kMaxParameters = 16;

struct Parameter {
  std::string name;
  std::string value;
};
using Parameters = boost::container::static_vector<Parameter, kMaxParameters>;

bool asks_past_caches(const http::Fields& fields) {
  const auto wish = fields.find(http::FieldId::cache_control);
  return wish && (wish->find("no-cache") != std::string_view::npos || wish->find("no-store") != std::string_view::npos);
}

// Sorted by name. Nullopt: search has something to say about them.
std::optional<Parameters> read_parameters(std::string_view query) {
  if (query.size() > kMaxQueryBytes) return std::nullopt;
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = http::decode_query_text(pair.substr(0, equals));
    auto value = http::decode_query_text(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value || parameters.size() == kMaxParameters) return std::nullopt;
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  std::ranges::sort(parameters, {}, &Parameter::name);
  if (std::ranges::adjacent_find(parameters, {}, &Parameter::name) != parameters.end()) return std::nullopt;
  return parameters;
}

// With its length before it, so that no two lists of texts give one key.
void append(std::string& key, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  const std::array<char, 4> prefix = {static_cast<char>(size), static_cast<char>(size >> 8),
                                      static_cast<char>(size >> 16), static_cast<char>(size >> 24)};
  key.append(prefix.data(), prefix.size()).append(text);
}

}  // namespace

std::optional<SearchKey> search_key(const Caller& caller, const http::Request& request) {
  if (request.method != http::Method::kGet || asks_past_caches(request.fields)) return std::nullopt;
  if (request.body != nullptr && request.body->size() != std::optional<std::uint64_t>(0)) return std::nullopt;
  std::optional<Parameters> parameters = read_parameters(request.query);
  if (!parameters) return std::nullopt;

  SearchKey key;
  key.text.reserve(64 + caller.tenant.value.size() + caller.user.value.size() + request.target.size());
  append(key.text, caller.tenant.value);
  append(key.text, caller.user.value);
  key.text += static_cast<char>('0' + (caller.roles.admin ? 1 : 0) + (caller.roles.service ? 2 : 0));
  append(key.text, request.path);
  for (Parameter& parameter : *parameters) {
    if (parameter.name == "min_position") return std::nullopt;
    if (parameter.name == "cursor") key.continues = true;
    if (parameter.name == "q") {
      if (parameter.value.size() > kMaxTextBytes || !is_valid_utf8(parameter.value)) return std::nullopt;
      key.q = parameter.value;
    }
    append(key.text, parameter.name);
    append(key.text, parameter.value);
  }
  return key;
}

}  // namespace parley::gateway
