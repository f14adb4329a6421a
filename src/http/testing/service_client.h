// ServiceClient: asks a Service without a socket, as a client would: for tests of routes. Remembers header fields to
// send with every request (a token, say). One per test; the Service outlives it.
#pragma once
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"
#include "http/service.h"
#include "http/testing/loop_thread.h"

namespace parley::http::testing {

struct Answer {
  int status = 0;
  HeaderText headers;
  std::string body;
  std::optional<std::uint64_t> length;  // what a HEAD's answer, or one that is streamed, says of itself

  // The parsed body; null when it is no JSON.
  boost::json::value json() const {
    boost::system::error_code ec;
    auto value = boost::json::parse(body, ec);
    return ec ? boost::json::value() : value;
  }
  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }
  // The problem's code, "" when there is none.
  std::string code() const {
    const auto value = json();
    const auto* object = value.if_object();
    const auto* code = object != nullptr ? object->if_contains("code") : nullptr;
    return code != nullptr && code->is_string() ? std::string(code->get_string()) : std::string();
  }
  // The problem's faulty paths, in order.
  std::vector<std::string> faulty_paths() const {
    std::vector<std::string> paths;
    const auto value = json();
    if (!value.is_object() || !value.get_object().contains("errors")) return paths;
    for (const auto& error : value.at("errors").as_array()) paths.emplace_back(error.at("path").as_string());
    return paths;
  }
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

class ServiceClient {
 public:
  ServiceClient(LoopThread& loop, Service& service, HeaderList always = {})
      : loop_(loop), service_(service), always_(std::move(always)) {}

  Answer get(std::string_view target, HeaderList headers = {}) {
    return send(Method::kGet, target, {}, std::move(headers));
  }
  Answer remove(std::string_view target, HeaderList headers = {}) {
    return send(Method::kDelete, target, {}, std::move(headers));
  }
  Answer post(std::string_view target, std::string_view json, HeaderList headers = {}) {
    return send_json(Method::kPost, target, json, std::move(headers));
  }
  Answer put(std::string_view target, std::string_view json, HeaderList headers = {}) {
    return send_json(Method::kPut, target, json, std::move(headers));
  }
  // Adds Content-Type: application/json unless `headers` has one.
  Answer send_json(Method method, std::string_view target, std::string_view json, HeaderList headers = {});
  Answer send(Method method, std::string_view target, std::string_view body, HeaderList headers = {});

 private:
  LoopThread& loop_;
  Service& service_;
  HeaderList always_;
};

}  // namespace parley::http::testing
