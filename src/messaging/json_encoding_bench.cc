// What it costs to show a page of fifty messages, and to seal its cursor.
#include <benchmark/benchmark.h>

#include "messaging/cursor.h"
#include "messaging/json_encoding.h"

namespace parley::messaging {
namespace {

void BM_EncodePageOfFifty(benchmark::State& state) {
  Message message;
  message.id = MessageId("0198c5a2-7f00-7000-8000-000000000001");
  message.conversation_id = ConversationId("0198c5a2-7f00-7000-8000-000000000002");
  message.seq = 123456;
  message.sender_id = UserId("0198c5a2-7f00-7000-8000-000000000003");
  message.content = std::string(80, 'x');
  message.reactions = {{"👍", 2, {UserId("u1"), UserId("u2")}, true}};
  message.created_at = WallTime(std::chrono::milliseconds(1'700'000'000'123));
  const std::vector<Message> page(50, message);
  for (auto _ : state) benchmark::DoNotOptimize(encode_list(page, {"cursor", {}, false}));
}
BENCHMARK(BM_EncodePageOfFifty);

void BM_SealCursor(benchmark::State& state) {
  const Caller caller{TenantId("acme"), UserId("ada"), {}, {}};
  for (auto _ : state) {
    const CursorScope scope("list_messages", caller, {"0198c5a2-7f00-7000-8000-000000000002", "desc"});
    benchmark::DoNotOptimize(scope.seal(to_payload(SeqPoint{123456})));
  }
}
BENCHMARK(BM_SealCursor);

}  // namespace
}  // namespace parley::messaging
