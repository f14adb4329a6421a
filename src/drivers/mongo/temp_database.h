// For tests: a database of its own on the server that PARLEY_TEST_MONGODB_URI names, dropped with it. A test that needs
// one is skipped where the variable is not set.
#pragma once
#include <cstdlib>
#include <optional>
#include <string>

#include "base/ids.h"
#include "drivers/mongo/client_pool.h"

namespace parley::mongo {

inline std::optional<std::string> test_uri() {
  const char* const uri = std::getenv("PARLEY_TEST_MONGODB_URI");
  return uri && *uri ? std::optional<std::string>(uri) : std::nullopt;
}
inline constexpr const char* kNoTestServer = "PARLEY_TEST_MONGODB_URI names no MongoDB";

class TempDatabase {
 public:
  TempDatabase() {
    SecureRandom random;
    name_ = "parley_test_" + std::to_string(random.next_u64() % 1'000'000'000'000);
  }
  TempDatabase(const TempDatabase&) = delete;
  ~TempDatabase() {
    auto pool = ClientPool::open(options(1), clock_);
    if (!pool) return;
    (void)with_database(**pool, clock_.steady_now() + std::chrono::seconds(10),
                        [](Database& database) { database.run(make_document("dropDatabase", 1)); });
  }
  ConnectionOptions options(std::size_t size = 16) const {
    return {.uri = test_uri().value_or("mongodb://127.0.0.1:1"), .database = name_, .ca_file = {}, .size = size};
  }
  const std::string& name() const { return name_; }

 private:
  SystemClock clock_;
  std::string name_;
};

}  // namespace parley::mongo
