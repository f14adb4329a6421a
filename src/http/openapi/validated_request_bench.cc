// What validation costs a send: the whole of it, and its parts.
#include <benchmark/benchmark.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/parse.hpp>
#include <string>

#include "http/openapi/embedded.h"
#include "http/openapi/validated_request.h"

namespace parley::http::openapi {
namespace {

const Contract& contract() {
  static const auto compiled = Contract::parse(messaging_yaml()).value();
  return *compiled;
}

std::string send_body(std::size_t bytes) {
  return R"({"conversation_id":"0198c5a2-7f00-7000-8000-000000000001","content":")" + std::string(bytes, 'x') +
         R"(","client_message_id":"0198c5a2-7f00-7000-8000-000000000002","mentions":["u1","u2"]})";
}

void BM_ParseWithBoost(benchmark::State& state) {
  const std::string body = send_body(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(json::parse(body));
}
BENCHMARK(BM_ParseWithBoost)->Arg(100)->Arg(1024);

void BM_ParseStrictly(benchmark::State& state) {
  const std::string body = send_body(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(parse_json(body));
}
BENCHMARK(BM_ParseStrictly)->Arg(100)->Arg(1024);

void BM_CheckSchema(benchmark::State& state) {
  const JsonBody body = parse_json(send_body(static_cast<std::size_t>(state.range(0)))).value();
  const Schema& schema = *contract().at("send_message").body;
  for (auto _ : state) {
    Faults faults;
    schema.check(body.value(), Place{}, faults);
    benchmark::DoNotOptimize(faults.any());
  }
}
BENCHMARK(BM_CheckSchema)->Arg(100)->Arg(1024);

Task<> validate_many(benchmark::State& state, std::string text) {
  const Operation& operation = contract().at("send_message");
  for (auto _ : state) {
    TextBody body(text);
    Request request;
    request.method = Method::kPost;
    request.set_target("/messages");
    request.body = &body;
    request.fields.add(FieldId::host, "Host", "127.0.0.1");
    request.fields.add(FieldId::authorization, "Authorization", "Bearer x");
    request.fields.add(FieldId::content_type, "Content-Type", "application/json");
    request.fields.add(FieldId::unknown, "Idempotency-Key", "0198c5a2-7f00-7000-8000-000000000002");
    Exchange exchange(request);
    auto validated = co_await validate(operation, exchange);
    benchmark::DoNotOptimize(validated.has_value());
  }
}

void BM_ValidateSend(benchmark::State& state) {
  asio::io_context io(1);
  asio::co_spawn(io, validate_many(state, send_body(static_cast<std::size_t>(state.range(0)))), asio::detached);
  io.run();
}
BENCHMARK(BM_ValidateSend)->Arg(100)->Arg(1024);

}  // namespace
}  // namespace parley::http::openapi
