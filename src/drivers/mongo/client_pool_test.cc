// What needs no server: one that is not there, and settings that are none.
#include "drivers/mongo/client_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/run_on_loop.h"
#include "drivers/mongo/group_writer.h"
#include "drivers/mongo/reader_pool.h"

namespace parley::mongo {
namespace {

TEST(MongoAwayTest, TheLibraryLeavesNothingInSharedMemory) {
  EXPECT_FALSE(std::filesystem::exists("/dev/shm/mongoc-" + std::to_string(getpid())));
}

TEST(MongoAwayTest, AServerThatIsNotThereIsUnavailableSoon) {
  SystemClock clock;
  const std::string uri = "mongodb://user:hidden@127.0.0.1:1/?replicaSet=x";  // not-a-secret: looked for in errors
  auto pool = ClientPool::open(
      {.uri = uri, .timeout = std::chrono::milliseconds(500), .find_server_for = std::chrono::milliseconds(200)},
      clock);
  ASSERT_TRUE(pool);
  const auto checked = (*pool)->check_server();
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().kind, ErrorKind::kUnavailable);
  EXPECT_TRUE(checked.error().retry_after);
  EXPECT_NE(checked.error().detail.find("MongoDB at MONGODB_URI cannot be reached"), std::string::npos);
  EXPECT_EQ(checked.error().detail.find("hidden"), std::string::npos);
  EventLoops loops(1);
  loops.start();
  {
    GroupWriter writer(**pool, {.lanes = 1});
    ReaderPool readers(**pool, {.threads = 1});
    const SteadyTime soon = clock.steady_now() + std::chrono::seconds(30);
    EXPECT_EQ(run_on_loop(loops.at(0), writer.run<int>("k", soon,
                                                       [](GroupTransaction& tx) -> Result<int> {
                                                         tx.insert("a", make_document("_id", 1));
                                                         return 1;
                                                       }))
                  .error()
                  .code,
              "unavailable");
    EXPECT_EQ(run_on_loop(loops.at(0),
                          readers.run<int>(
                              soon, [](Database& db) -> Result<int> { return static_cast<int>(db.count("a", {})); }))
                  .error()
                  .code,
              "unavailable");
  }
  loops.stop();
}

TEST(MongoAwayTest, SettingsThatAreNoneAreRefusedWithoutQuotingThem) {
  SystemClock clock;
  constexpr const char* kOtherScheme = "http://user:hidden@x";         // not-a-secret: refused
  constexpr const char* kBadPort = "mongodb://user:hid/den@x:99999/";  // not-a-secret: refused
  for (const char* uri : {"", "nonsense", kOtherScheme, kBadPort}) {
    const auto pool = ClientPool::open({.uri = uri}, clock);
    ASSERT_FALSE(pool) << uri;
    EXPECT_EQ(pool.error().detail.find("hid"), std::string::npos);
  }
  EXPECT_FALSE(ClientPool::open({.uri = "mongodb://x/", .ca_file = "/nowhere/ca.pem"}, clock));
}

}  // namespace
}  // namespace parley::mongo
