// Answers that the kernel sends from a file, byte by byte what a reader would have sent.
#include "http/file_sending.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

#include <filesystem>
#include <random>

#include "base/unique_fd.h"
#include "http/testing/server_fixture.h"

namespace parley::http {
namespace {

using std::chrono::seconds;
using testing::RawClient;

constexpr std::size_t kFileBytes = (5 << 20) + 123;

std::string noise(std::size_t size) {
  std::mt19937_64 random(7);
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(random());
  return text;
}

// Offers a run of a file; read() would answer something else, so that a test sees which it was.
class RunBody final : public Body {
 public:
  RunBody(FileRun run, std::optional<std::uint64_t> size, std::string instead)
      : run_(std::move(run)), size_(size), instead_(std::move(instead)) {}
  Task<Result<std::string_view>> read() override {
    co_return std::exchange(read_, true) ? std::string_view() : std::string_view(instead_);
  }
  std::optional<std::uint64_t> size() const override { return size_; }
  std::optional<FileRun> as_file() override { return run_; }

 private:
  const FileRun run_;
  const std::optional<std::uint64_t> size_;
  const std::string instead_;
  bool read_ = false;
};

class FileSendingTest : public testing::ServerFixture {
 protected:
  FileSendingTest() : path(::testing::TempDir() + "parley-sending-" + std::to_string(::getpid())) {
    fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    EXPECT_EQ(::write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
    service.on_made_sent = [this](std::uint64_t bytes, bool complete) {
      sent_bytes = bytes;
      sent_all = complete;
      ++sent;
    };
    offer(0, kFileBytes);
  }
  ~FileSendingTest() override { std::filesystem::remove(path); }

  void offer(std::uint64_t offset, std::uint64_t length) {
    service.make_stream = [this, offset, length] {
      return std::make_unique<RunBody>(FileRun{.fd = fd.get(), .offset = offset, .length = length, .fetch = fetch},
                                       length, "");
    };
  }
  static void ask(RawClient& client, std::string_view method = "GET") {
    client.send(std::string(method) + " /made HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  void wait_until_sent(int times = 1) {
    while (sent < times) std::this_thread::yield();
  }

  const std::string content = noise(kFileBytes);
  const std::string path;
  UniqueFd fd;
  std::function<Task<Result<>>(std::uint64_t, std::uint64_t)> fetch;
  std::atomic<int> sent = 0;
  std::atomic<std::uint64_t> sent_bytes = 0;
  std::atomic<bool> sent_all = false;
};

TEST_F(FileSendingTest, SendsEveryByteAndKeepsTheConnection) {
  start();
  RawClient client(server->port());
  for (int i = 1; i <= 3; ++i) {
    ask(client);
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_NE(head.find("Content-Length: " + std::to_string(kFileBytes)), std::string::npos) << head;
    EXPECT_TRUE(client.read(kFileBytes) == content);
    wait_until_sent(i);
    EXPECT_EQ(sent_bytes, kFileBytes);
    EXPECT_TRUE(sent_all);
  }
  EXPECT_EQ(server->counters().sent_file_bytes, 3 * kFileBytes);
  EXPECT_EQ(server->counters().accepted_connections, 1U);
}

TEST_F(FileSendingTest, SendsAnyRunOfTheFileAndNothingBesides) {
  start();
  RawClient client(server->port());
  constexpr std::size_t kPiece = 2 << 20;
  const std::vector<std::pair<std::size_t, std::size_t>> runs = {
      {0, 0},      {0, 1},          {kFileBytes - 1, 1}, {kFileBytes, 0},   {1, kPiece},     {kPiece - 1, 2},
      {0, kPiece}, {3, kPiece + 1}, {4095, 4097},        {12'345, 700'000}, {kPiece, kPiece}};
  for (const auto& [offset, length] : runs) {
    offer(offset, length);
    ask(client);
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Length: " + std::to_string(length) + "\r\n"), std::string::npos) << head;
    EXPECT_TRUE(client.read(length) == content.substr(offset, length)) << offset << " " << length;
  }
  client.send("GET /size/3 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until("xxx").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(FileSendingTest, SendsAFileManyTimesItsPiecesToSeveralAtOnce) {
  start();
  std::vector<std::future<bool>> all;
  for (int i = 0; i < 8; ++i) {
    all.push_back(std::async(std::launch::async, [this] {
      RawClient client(server->port());
      ask(client);
      client.read_until("\r\n\r\n");
      return client.read(kFileBytes) == content;
    }));
  }
  for (auto& one : all) EXPECT_TRUE(one.get());
}

TEST_F(FileSendingTest, SendsNothingOfItToHead) {
  start();
  RawClient client(server->port());
  ask(client, "HEAD");
  EXPECT_NE(client.read_until("\r\n\r\n").find("Content-Length: " + std::to_string(kFileBytes)), std::string::npos);
  client.send("GET /size/3 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until("xxx").starts_with("HTTP/1.1 200 OK"));
  EXPECT_EQ(server->counters().sent_file_bytes, 0U);
}

TEST_F(FileSendingTest, AFileThatIsShorterThanItWasEndsTheConnection) {
  start();
  ASSERT_EQ(::ftruncate(fd.get(), 1'000'000), 0);
  RawClient client(server->port());
  ask(client);
  client.read_until("\r\n\r\n");
  EXPECT_TRUE(client.read(kFileBytes) == content.substr(0, 1'000'000));
  wait_until_sent();
  EXPECT_EQ(sent_bytes, 1'000'000U);
  EXPECT_FALSE(sent_all);
}

TEST_F(FileSendingTest, AFileOfWhichNothingIsLeftEndsTheConnectionBehindItsHead) {
  start();
  ASSERT_EQ(::ftruncate(fd.get(), 0), 0);
  RawClient client(server->port());
  ask(client);
  EXPECT_TRUE(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(client.read(1), "");
  wait_until_sent();
  EXPECT_FALSE(sent_all);
}

TEST_F(FileSendingTest, WaitsForAReaderThatTakesItsTime) {
  start();
  RawClient client(server->port());
  ask(client);
  client.read_until("\r\n\r\n");
  std::string got;
  while (got.size() < kFileBytes) {
    got += client.read(std::min<std::size_t>(1 << 20, kFileBytes - got.size()));
    pass_time(seconds(29));
  }
  EXPECT_TRUE(got == content);
  wait_until_sent();
  EXPECT_TRUE(sent_all);
}

TEST_F(FileSendingTest, GivesUpOnAReaderThatTakesNothing) {
  start();
  ASSERT_EQ(::ftruncate(fd.get(), 64 << 20), 0);  // more than the kernel keeps for anybody
  offer(0, 64 << 20);
  RawClient client(server->port());
  ask(client);
  client.read_until("\r\n\r\n");
  while (sent == 0) pass_time(seconds(31));
  EXPECT_FALSE(sent_all);
  EXPECT_LT(sent_bytes, 64U << 20);
}

TEST_F(FileSendingTest, AReaderThatGoesAwayIsNoFaultOfAnybody) {
  start();
  ASSERT_EQ(::ftruncate(fd.get(), 64 << 20), 0);
  offer(0, 64 << 20);
  {
    RawClient client(server->port());
    ask(client);
    client.read_until("\r\n\r\n");
    client.read(1'000);
  }
  wait_until_sent();
  EXPECT_FALSE(sent_all);
  EXPECT_TRUE(once("GET /size/3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").ends_with("xxx"));
}

TEST_F(FileSendingTest, WhatCannotBeSentFromIsRead) {
  start();
  UniqueFd no_file(::eventfd(0, EFD_CLOEXEC));
  service.make_stream = [&no_file] {
    return std::make_unique<RunBody>(FileRun{.fd = no_file.get(), .offset = 0, .length = 8}, 8, "was read");
  };
  RawClient client(server->port());
  ask(client);
  EXPECT_TRUE(client.read_until("was read").starts_with("HTTP/1.1 200 OK"));
  client.send("GET /size/3 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_until("xxx").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(FileSendingTest, ARunThatIsNotTheWholeBodyIsRead) {
  start();
  service.make_stream = [this] {
    return std::make_unique<RunBody>(FileRun{.fd = fd.get(), .offset = 0, .length = 9}, 8, "was read");
  };
  RawClient client(server->port());
  ask(client);
  EXPECT_TRUE(client.read_until("was read").starts_with("HTTP/1.1 200 OK"));
  EXPECT_EQ(server->counters().sent_file_bytes, 0U);
}

// Only where there is a disk behind the folder for tests; then the page cache can be told to forget.
class ColdFileTest : public FileSendingTest {
 protected:
  bool forget() {
    ::fsync(fd.get());
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
    char byte;
    const iovec into{&byte, 1};
    return ::preadv2(fd.get(), &into, 1, kFileBytes - 1, RWF_NOWAIT) < 0;
  }
};

Task<Result<>> fetch_to(std::atomic<int>& fetched, int fd, std::uint64_t offset, std::uint64_t length) {
  ++fetched;
  std::string piece(length, '\0');
  EXPECT_EQ(::pread(fd, piece.data(), length, static_cast<off_t>(offset)), static_cast<ssize_t>(length));
  co_return Result<>();
}
Task<Result<>> fetch_nothing(std::uint64_t, std::uint64_t) {
  co_return unavailable("x", "The disk is gone.");
}

// The kernel reads ahead and may be quicker than the look at what is in memory: then nothing is fetched, and the file
// is forgotten once more.
constexpr int kTries = 200;

TEST_F(ColdFileTest, IsFetchedElsewhereThanOnTheLoop) {
  std::atomic<int> fetched = 0;
  fetch = [&](std::uint64_t offset, std::uint64_t length) { return fetch_to(fetched, fd.get(), offset, length); };
  offer(0, kFileBytes);
  start();
  for (int tries = 0; fetched == 0 && tries < kTries; ++tries) {
    if (!forget()) GTEST_SKIP() << "this file system keeps all in memory";
    RawClient client(server->port());
    ask(client);
    client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.read(kFileBytes) == content);
  }
  EXPECT_GE(fetched, 1);
}

TEST_F(ColdFileTest, ThatCannotBeFetchedEndsTheConnection) {
  std::atomic<int> asked = 0;
  fetch = [&](std::uint64_t offset, std::uint64_t length) {
    ++asked;
    return fetch_nothing(offset, length);
  };
  offer(0, kFileBytes);
  start();
  for (int tries = 0; asked == 0 && tries < kTries; ++tries) {
    if (!forget()) GTEST_SKIP() << "this file system keeps all in memory";
    RawClient client(server->port());
    ask(client);
    client.read_until("\r\n\r\n");
    const bool whole = client.read(kFileBytes).size() == kFileBytes;
    wait_until_sent(tries + 1);
    EXPECT_EQ(whole, asked == 0);
    EXPECT_EQ(sent_all, asked == 0);
  }
  EXPECT_GE(asked, 1);
}

}  // namespace
}  // namespace parley::http
