#include "http/router.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/text.h"

namespace parley::http {

const std::string& PathParameters::at(std::string_view name) const {
  for (const Item& item : items_) {
    if (item.name == name) return item.value;
  }
  CHECK(!"no such path parameter in the route's pattern");
  std::abort();
}

// A tree by path segment. A literal segment wins over a parameter, as OpenAPI 3.1 says ("Path Templating Matching").
struct Router::Node {
  std::map<std::string, std::shared_ptr<Node>, std::less<>> literals;
  std::shared_ptr<Node> parameter;
  std::shared_ptr<Node> rest;
  std::vector<std::size_t> routes;  // indices into routes_, those that end here
};

namespace {

// Cuts the first segment off `path`, which starts with `/`.
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with('{') && segment.ends_with('}');
}
bool is_rest(std::string_view segment) {
  return is_parameter(segment) && segment.ends_with("*}");
}

}  // namespace

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)), root_(std::make_shared<Node>()) {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    routes_[i].index = i;
    Node* node = root_.get();
    for (std::string_view rest = routes_[i].pattern; !rest.empty();) {
      CHECK(rest.starts_with('/'));
      const std::string_view segment = take_segment(rest);
      std::shared_ptr<Node>& child = is_rest(segment)        ? node->rest
                                     : is_parameter(segment) ? node->parameter
                                                             : node->literals[std::string(segment)];
      if (!child) child = std::make_shared<Node>();
      node = child.get();
    }
    for (const std::size_t other : node->routes) CHECK(routes_[other].method != routes_[i].method);
    node->routes.push_back(i);
  }
}

Router::Match Router::find(Method method, std::string_view path, PathParameters& parameters) const {
  if (!path.starts_with('/')) return {};
  boost::container::static_vector<std::string_view, 4> values;
  const Node* node = root_.get();
  for (std::string_view rest = path; !rest.empty();) {
    std::string_view whole_rest = rest.substr(1);
    const std::string_view segment = take_segment(rest);
    if (const auto literal = node->literals.find(segment); literal != node->literals.end()) {
      node = literal->second.get();
    } else if (node->parameter && !segment.empty()) {
      if (values.size() == values.capacity()) return {};
      values.push_back(segment);
      node = node->parameter.get();
    } else if (node->rest) {
      values.push_back(whole_rest);
      node = node->rest.get();
      break;
    } else {
      return {};
    }
  }

  Match match;
  const auto find_row = [&](Method wanted) {
    for (const std::size_t index : node->routes) {
      if (routes_[index].method == wanted) match.route = &routes_[index];
    }
  };
  find_row(method);
  if (match.route == nullptr && method == Method::kHead) find_row(Method::kGet);
  if (match.route == nullptr) {
    for (const std::size_t index : node->routes) {
      match.allowed.push_back(routes_[index].method);
      if (routes_[index].method == Method::kGet) match.allowed.push_back(Method::kHead);
    }
    return match;
  }

  std::size_t next = 0;
  for (std::string_view rest = match.route->pattern; !rest.empty();) {
    const std::string_view segment = take_segment(rest);
    if (!is_parameter(segment)) continue;
    const bool raw = is_rest(segment);
    const std::string_view name = segment.substr(1, segment.size() - (raw ? 3 : 2));
    const std::string_view value = values[next++];
    if (raw) {
      parameters.add(name, std::string(value));
      continue;
    }
    std::optional<std::string> decoded = percent_decode(value);
    if (!decoded || !is_valid_utf8(*decoded)) return {};
    parameters.add(name, std::move(*decoded));
  }
  return match;
}

}  // namespace parley::http
