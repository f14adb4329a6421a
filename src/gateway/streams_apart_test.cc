#include "gateway/streams_apart.h"

#include <gtest/gtest.h>

#include "base/event_loop.h"
#include "base/run_on_loop.h"
#include "gateway/testing/fakes.h"

namespace parley::gateway {
namespace {

using http::Method;
using testing::FakeUpstream;

bool lasts(Method method, std::string_view target) {
  http::Request request;
  request.method = method;
  request.set_target(target);
  return lasts_as_its_reader(request);
}

TEST(StreamsApart, TellsWhatLastsAsItsReader) {
  for (const char* target : {"/download/1", "/download/1?a=b", "/stream/1", "/upload/1/progress"}) {
    EXPECT_TRUE(lasts(Method::kGet, target)) << target;
    EXPECT_FALSE(lasts(Method::kHead, target)) << target;
  }
  for (const char* target : {"/files", "/files/1", "/files/1/thumbnails/small", "/usage", "/health", "/downloads"}) {
    EXPECT_FALSE(lasts(Method::kGet, target)) << target;
  }
  EXPECT_FALSE(lasts(Method::kPost, "/upload"));
  EXPECT_FALSE(lasts(Method::kPatch, "/tus/1"));
}

TEST(StreamsApart, EachGoesOverItsOwnConnections) {
  auto streams = std::make_shared<FakeUpstream>(std::vector{FakeUpstream::error(ErrorKind::kUnavailable, "busy")});
  auto others = std::make_shared<FakeUpstream>(std::vector{FakeUpstream::status(200)});
  StreamsApart media(streams, others);
  EventLoops loops(1);
  loops.start();
  const auto ask = [&](std::string_view target) {
    http::TextBody none("");
    http::Request request;
    request.method = Method::kGet;
    request.set_target(target);
    request.body = &none;
    const auto answer = run_on_loop(loops.at(0), media.call(request, SteadyTime::max()));
    return answer ? std::to_string(answer->status) : answer.error().code;
  };
  EXPECT_EQ(ask("/download/1"), "busy");
  EXPECT_EQ(ask("/files"), "200");
  loops.stop();
}

}  // namespace
}  // namespace parley::gateway
