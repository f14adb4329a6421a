// Bodies over a connection whose time stands still until the test moves it.
#include "http/body_framing.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace parley::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ConnectionBodyTest : public testing::Test {
 protected:
  ConnectionBodyTest() {
    asio::basic_socket_acceptor<asio::ip::tcp, LoopExecutor> acceptor(loop.io(), {asio::ip::address_v4::loopback(), 0});
    peer.connect(acceptor.local_endpoint());
    connection = std::make_unique<Connection>(loop, acceptor.accept());
    pass({});
  }

  // Deadlines that are due run out; what can go on then does.
  void pass(milliseconds time) {
    now += time;
    loop.sweep(now);
    loop.io().restart();
    loop.io().poll();
  }
  void begin_read(ConnectionBody& body) {
    answer.reset();
    asio::co_spawn(loop.io(), body.read(), [this](std::exception_ptr, Result<std::string_view> piece) {
      answer = piece ? std::string(*piece) : piece.error().code;
    });
    pass({});
  }
  // What the read that was begun answers once `text` has come.
  std::string when_sent(std::string_view text) {
    asio::write(peer, asio::buffer(text.data(), text.size()));
    loop.io().restart();
    while (!answer) loop.io().run_one_for(seconds(20));
    return *answer;
  }

  EventLoop loop{0};
  SteadyTime now{seconds(1'000'000)};
  TcpSocket peer{loop.io()};
  std::unique_ptr<Connection> connection;
  std::optional<std::string> answer;
};

TEST_F(ConnectionBodyTest, WaitsForTheNextByteAsLongAsItsIdleTimeout) {
  ConnectionBody body(*connection, {Framing::Kind::kLength, 2}, 1024, seconds(30));
  begin_read(body);
  pass(milliseconds(29'999));
  EXPECT_EQ(when_sent("a"), "a");
  begin_read(body);
  pass(milliseconds(30'000));
  EXPECT_EQ(answer, "request_timeout");
}

TEST_F(ConnectionBodyTest, GivesUpOnABodyThatTricklesBelowItsLeastRate) {
  ConnectionBody body(*connection, {Framing::Kind::kLength, 1000}, 1024, seconds(30), false, 1024);
  begin_read(body);
  pass(seconds(20));
  EXPECT_EQ(when_sent("a"), "a");
  begin_read(body);
  pass(seconds(20));
  EXPECT_EQ(answer, "request_timeout");
}

TEST_F(ConnectionBodyTest, AnInterruptionEndsAReadUnderWayAndEveryLaterOne) {
  ConnectionBody body(*connection, {Framing::Kind::kLength, 2}, 1024, seconds(30));
  begin_read(body);
  body.interrupt();
  pass(milliseconds(0));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer, "request_timeout");
  begin_read(body);
  EXPECT_EQ(answer, "bad_request");
  EXPECT_TRUE(body.failed());
}

TEST_F(ConnectionBodyTest, AnInterruptionBetweenTwoReadsFailsTheNext) {
  ConnectionBody body(*connection, {Framing::Kind::kLength, 2}, 1024, seconds(30));
  begin_read(body);
  EXPECT_EQ(when_sent("a"), "a");
  body.interrupt();
  begin_read(body);
  EXPECT_EQ(answer, "bad_request");
}

TEST_F(ConnectionBodyTest, DoesNotCountTheTimeThatItsReaderTakes) {
  ConnectionBody body(*connection, {Framing::Kind::kLength, 1000}, 1024, seconds(30), false, 1024);
  begin_read(body);
  EXPECT_EQ(when_sent("a"), "a");
  pass(seconds(600));
  begin_read(body);
  pass(seconds(20));
  EXPECT_EQ(when_sent("b"), "b");
}

TEST_F(ConnectionBodyTest, AFastBodyEarnsTime) {
  ConnectionBody body(*connection, {Framing::Kind::kLength, 100'000}, 64 * 1024, seconds(30), false, 1024);
  std::size_t got = 0;
  for (const std::string piece(20 * 1024, 'x'); got < piece.size(); got += answer->size()) {
    begin_read(body);
    if (!answer) when_sent(got == 0 ? piece : "");
  }
  for (int i = 0; i < 2; ++i) {  // 40 s of waiting: 30, and 20 for what came
    begin_read(body);
    pass(seconds(20));
    EXPECT_EQ(when_sent("y"), "y");
  }
}

// What a peer takes that reads a little now and then is progress, long before the kernel would take more from here.
class SlowPeerTest : public ConnectionBodyTest {
 protected:
  SlowPeerTest() {
    std::string filling(1 << 20, 'x');
    for (std::ptrdiff_t taken = 1; taken > 0;) {
      iovec all = part(filling);
      taken = connection->write_some_now({&all, 1});
    }
    connection->set_write_timeout(seconds(30));
    asio::co_spawn(loop.io(), connection->wait_writable(),
                   [this](std::exception_ptr, bool writable) { waited = writable; });
    pass({});
  }
  void peer_reads(std::size_t bytes) {
    std::string into(bytes, '\0');
    asio::read(peer, asio::buffer(into));
  }
  std::optional<bool> waited;
};

TEST_F(SlowPeerTest, WhoTakesNothingForTheWholeTimeoutIsGivenUp) {
  pass(milliseconds(29'999));
  EXPECT_FALSE(waited);
  pass(milliseconds(1));
  EXPECT_EQ(waited, false);
  EXPECT_TRUE(connection->timed_out());
}

TEST_F(SlowPeerTest, WhoTakesALittleIsWaitedForOnceMore) {
  peer_reads(128 * 1024);
  pass(seconds(30));
  if (waited) GTEST_SKIP() << "the kernel's buffers are so small that it takes more already";
  pass(seconds(29));
  EXPECT_FALSE(waited);
  pass(seconds(1));
  EXPECT_EQ(waited, false);
}

TEST_F(SlowPeerTest, AnyOtherDeadlineHasNoSecondTime) {
  connection->set_timeout(seconds(30));
  peer_reads(128 * 1024);
  pass(seconds(30));
  EXPECT_TRUE(waited.has_value());
}

Task<> move_for_long(EventLoop& loop, std::string& order) {
  Turns turns(loop);
  for (int i = 0; i < 4; ++i) {
    order += 'm';
    if (turns.is_over(1 << 20)) co_await turns.next();
  }
}

TEST(Turns, LetOthersComeEveryTwoMebibytes) {
  EventLoop loop(0);
  std::string order;
  asio::co_spawn(loop.io(), move_for_long(loop, order), asio::detached);
  loop.post([&order] { order += 'o'; });
  loop.io().poll();
  EXPECT_EQ(order, "mmomm");
}

}  // namespace
}  // namespace parley::http
