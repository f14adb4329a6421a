// The server against raw sockets.
#include "http/server.h"

#include <list>

#include "http/testing/server_fixture.h"

namespace parley::http {
namespace {

using std::chrono::seconds;
using testing::RawClient;

class ServerTest : public testing::ServerFixture {};

const std::string kClose = "Connection: close\r\n";

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    const std::string answer = client.read_until("hello");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_NE(answer.find("\r\nDate: "), std::string::npos);
    EXPECT_EQ(answer.find("Connection: close"), std::string::npos);
  }
  EXPECT_EQ(server->counters().accepted_connections, 1U);
}

TEST_F(ServerTest, SharesConnectionsEvenlyAmongTheLoops) {
  start();
  std::list<RawClient> clients;
  std::array<int, 2> on_loop{};
  for (int i = 0; i < 40; ++i) {
    RawClient& client = clients.emplace_back(server->port());
    client.send("GET /loop HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = client.read_until("$");
    ++on_loop[answer.ends_with("on loop 0$") ? 0 : 1];
  }
  EXPECT_GE(on_loop[0], 17);
  EXPECT_GE(on_loop[1], 17);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start();
  const std::string answer = once(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nonePOST /echo HTTP/1.1\r\nHost: h\r\n"
      "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n\r\nGET /size/1 HTTP/1.1\r\nHost: h\r\n" +
      kClose + "\r\n");
  const std::size_t one = answer.find("\r\n\r\none"), two = answer.find("\r\n\r\ntwo"), x = answer.find("\r\n\r\nx");
  EXPECT_LT(one, two);
  EXPECT_LT(two, x);
  EXPECT_NE(x, std::string::npos);
}

TEST_F(ServerTest, TakesARequestByteByByte) {
  start();
  RawClient client(server->port());
  for (const char c : std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")) {
    client.send(std::string_view(&c, 1));
  }
  EXPECT_NE(client.read_until("\r\n\r\nab").find("200 OK"), std::string::npos);
}

TEST_F(ServerTest, StreamsUnknownLengthsInChunksAndByCloseForHttp10) {
  start();
  const std::string chunked = once("GET /stream HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
  EXPECT_NE(chunked.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_TRUE(chunked.ends_with("6\r\npiece0\r\n6\r\npiece1\r\n6\r\npiece2\r\n0\r\n\r\n")) << chunked;
  const std::string plain = once("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_EQ(plain.find("Transfer-Encoding"), std::string::npos);
  EXPECT_TRUE(plain.ends_with("\r\n\r\npiece0piece1piece2")) << plain;
  // Asked to keep the connection: but its end is the only end that this answer has.
  const std::string kept = once("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_NE(kept.find("Connection: close\r\n"), std::string::npos) << kept;
  EXPECT_TRUE(kept.ends_with("\r\n\r\npiece0piece1piece2")) << kept;
}

TEST_F(ServerTest, CutsAnAnswerWhoseStreamFails) {
  start();
  const std::string answer = once("GET /broken HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("piece1\r\n")) << answer;
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
  start();
  const std::string answer = once("HEAD /size/5 HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
  EXPECT_NE(answer.find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(ServerTest, SaysNoLengthToHeadWhenNobodyKnowsIt) {
  start();
  const std::string answer = once("HEAD /size/0 HTTP/1.1\r\nHost: h\r\n" + kClose + "\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << answer;
}

TEST_F(ServerTest, SendsContinueOnlyWhenTheBodyIsWanted) {
  start();
  RawClient wanted(server->port());
  wanted.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(wanted.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.send("ab");
  EXPECT_NE(wanted.read_until("\r\n\r\nab").find("200 OK"), std::string::npos);

  const std::string unwanted =
      once("POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(unwanted.starts_with("HTTP/1.1 404")) << unwanted;
  EXPECT_NE(unwanted.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, RefusesAmbiguousFramingAndCloses) {
  start();
  const std::string answer = once(
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
      "GET /size/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
  EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_EQ(service.served, 0);
}

TEST_F(ServerTest, ClosesAfterAMalformedChunk) {
  start();
  const std::string answer =
      once("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nGET /size/1 HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_EQ(service.served, 1);
}

// A head that fills the read buffer to its last byte leaves no room behind it, where the body is to go.
TEST_F(ServerTest, TakesABodyBehindAHeadThatFillsTheBuffer) {
  start();
  const std::string begin = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX: ";
  for (const std::size_t size : {8 * 1024 - 1, 8 * 1024, 8 * 1024 + 1, 16 * 1024 - 1, 16 * 1024}) {
    RawClient client(server->port());
    client.send(begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n");
    while (service.served == 0) std::this_thread::yield();
    service.served = 0;
    client.send("hello");
    EXPECT_TRUE(client.read_until("hello").starts_with("HTTP/1.1 200 OK\r\n")) << size;
  }
}

TEST_F(ServerTest, TakesABodyBehindAPipelinedHeadAtTheEndOfTheBuffer) {
  start();
  RawClient client(server->port());
  const std::string second = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n";
  const std::string begin = "GET /size/1 HTTP/1.1\r\nHost: h\r\nX: ";
  client.send(begin + std::string(8 * 1024 - second.size() - begin.size() - 4, 'x') + "\r\n\r\n" + second);
  EXPECT_NE(client.read_until("\r\n\r\nx").find("200 OK"), std::string::npos);
  while (service.served < 2) std::this_thread::yield();
  client.send("hello");
  EXPECT_TRUE(client.read_until("hello").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, AConnectionThatHasRestedServesOn) {
  start();
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_TRUE(client.read_until("hello").starts_with("HTTP/1.1 200 OK\r\n"));
    pass_time(seconds(2));
  }
  EXPECT_EQ(server->counters().accepted_connections, 1U);
}

TEST_F(ServerTest, StopCutsAStreamThatDoesNotEndWithinTheGrace) {
  start();
  RawClient client(server->port());
  client.send("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.read_until("more").find("200 OK"), std::string::npos);
  server->stop(std::chrono::milliseconds(1));  // returns, though the client takes nothing: that is the test
  EXPECT_EQ(server->counters().open_connections, 0);
}

TEST_F(ServerTest, Answers431ForALargeHead) {
  start();
  const std::string answer = once("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 431 ")) << answer;
}

TEST_F(ServerTest, TellsAHandlerThatABodyWasCutOff) {
  start();
  RawClient client(server->port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  client.half_close();
  EXPECT_TRUE(client.read_to_end().ends_with("bad_request"));
}

// A reset would take the answer away from a client that is still sending.
TEST_F(ServerTest, TakesInForAWhileWhatComesOfABodyThatWasInterrupted) {
  start();
  RawClient client(server->port());
  client.send("POST /interrupted HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000\r\n\r\nabc");
  EXPECT_NE(client.read_until("\r\n\r\ninterrupted").find("409"), std::string::npos);
  EXPECT_EQ(client.read(1), "") << "nothing more comes";
  for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(client.send("more of it")) << i;
}

TEST_F(ServerTest, DrainsASmallUnreadBodyAndGoesOn) {
  start();
  const std::string answer = once(
      "POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /size/1 HTTP/1.1\r\n"
      "Host: h\r\n" +
      kClose + "\r\n");
  EXPECT_NE(answer.find("HTTP/1.1 404"), std::string::npos);
  EXPECT_NE(answer.find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(ServerTest, ClosesRatherThanDrainALargeUnreadBody) {
  start();
  RawClient client(server->port());
  client.send("POST /none HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc");
  const std::string answer = client.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 404")) << answer;
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, GivesUpOnASlowHeadWith408AndOnAnIdleConnectionInSilence) {
  start();
  RawClient slow(server->port()), idle(server->port());
  slow.send("GET / HT");
  // The server counts a connection when it accepted it; only then is its deadline armed.
  while (server->counters().accepted_connections < 2) std::this_thread::yield();
  std::string answer;
  auto reading = std::async(std::launch::async, [&] { return slow.read_to_end(); });
  while (reading.wait_for(seconds(0)) != std::future_status::ready) pass_time(seconds(100));
  answer = reading.get();
  // Before its first bytes were seen it was an idle connection, which is closed without a word.
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 408 ")) << answer;
  pass_time(seconds(100));  // it had begun to rest
  EXPECT_EQ(idle.read_to_end(), "");
}

TEST_F(ServerTest, RefusesConnectionsBeyondItsLimitWith503) {
  ServerLimits limits;
  limits.connections = 1;
  start(limits);
  RawClient first(server->port());
  first.send("GET /size/1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(first.read_until("\r\n\r\nx").find("200 OK"), std::string::npos);
  RawClient second(server->port());
  const std::string answer = second.read_to_end();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
  EXPECT_NE(answer.find("Retry-After: 1"), std::string::npos);
}

TEST_F(ServerTest, ASecondServerOnThePortFailsLoudly) {
  start();
  Server second(loops, service, ServerOptions{.role = "test", .port = server->port()});
  const Result<> started = second.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, "cannot_listen");
}

TEST_F(ServerTest, StopAnswersWhatIsInFlightAndClosesTheIdle) {
  start();
  RawClient busy(server->port()), idle(server->port());
  busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  while (!service.slow_started) std::this_thread::yield();
  auto stopping = std::async(std::launch::async, [&] { server->stop(seconds(20)); });
  EXPECT_EQ(idle.read_to_end(), "");  // closed at once, while the other is still being served
  service.release_slow.set_value();
  const std::string answer = busy.read_to_end();
  EXPECT_NE(answer.find("\r\n\r\nslow"), std::string::npos) << answer;
  stopping.wait();
  EXPECT_FALSE(RawClient(server->port()).connected);
}

TEST_F(ServerTest, ServersStoppedTogetherShareOneGrace) {
  start();
  Server second(loops, service, ServerOptions{.role = "second"});
  ASSERT_TRUE(second.start());
  RawClient busy(server->port()), idle(second.port());
  idle.send("GET /size/3 HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.read_until("xxx");
  busy.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
  while (service.served != 2) std::this_thread::yield();
  Server* const both[] = {&*server, &second};
  auto stopping = std::async(std::launch::async, [&] { Server::stop_together(both, seconds(20)); });
  // The second begins to stop while the first still has a request in flight, which goes on all the same.
  EXPECT_EQ(idle.read_to_end(), "");
  busy.send("cd");
  EXPECT_NE(busy.read_to_end().find("\r\n\r\nabcd"), std::string::npos);
  stopping.wait();
  EXPECT_FALSE(RawClient(second.port()).connected);
}

TEST_F(ServerTest, ServersStoppedTogetherAreCutOffTogether) {
  start();
  Server second(loops, service, ServerOptions{.role = "second"});
  ASSERT_TRUE(second.start());
  RawClient one(server->port()), other(second.port());
  for (RawClient* client : {&one, &other}) {
    client->send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab");
  }
  while (service.served != 2) std::this_thread::yield();
  Server* const both[] = {&*server, &second};
  Server::stop_together(both, std::chrono::milliseconds(1));
  EXPECT_EQ(one.read_to_end(), "");
  EXPECT_EQ(other.read_to_end(), "");
}

}  // namespace
}  // namespace parley::http
