// The contract over a real OpenSearch or Elasticsearch, whose address is PARLEY_TEST_OPENSEARCH_URL. Each case has
// indexes of its own, which it deletes.
#include <cstdlib>

#include "base/random.h"
#include "base/text.h"
#include "search/query_parser.h"
#include "search/stores/opensearch_search_index.h"
#include "search/testing/directory_contract.h"

namespace parley::search::testing {
namespace {

const char* engine_url() {
  return std::getenv("PARLEY_TEST_OPENSEARCH_URL");
}

std::string random_prefix() {
  std::array<std::uint8_t, 6> bytes{};
  SecureRandom().fill(bytes);
  return "test-" + hex_encode(bytes);
}

// A client and the index over it, on loops of their own.
class EngineUnderTest final : public IndexUnderTest {
 public:
  explicit EngineUnderTest(const Clock& clock) : clock_(clock) {
    loops_.start();
    client_.emplace(opensearch::Client::Surroundings{loops_, system_clock_, timer_},
                    opensearch::ClientOptions{.urls = opensearch::parse_node_urls(engine_url(), "url").value(),
                                              .authorization = {},
                                              .tls = {},
                                              .timeout = std::chrono::seconds(60)});
    reopen();
  }
  ~EngineUnderTest() override {
    for (const char* kind : {"-messages", "-directory", "-state"}) {
      remove("/" + prefix_ + kind + "-1");
      remove("/_index_template/" + prefix_ + kind);
    }
    loops_.stop();
  }
  SearchIndex& index() override { return *index_; }
  void reopen() override {
    index_.emplace(*client_, OpenSearchIndex::Options{.prefix = prefix_, .shards = {.shards = 1, .replicas = "0-0"}},
                   clock_);
  }
  std::vector<std::string> problems(EventLoop&) override { return {}; }

  opensearch::Answer ask(http::Method method, std::string target, std::string body = {}) {
    return run_on_loop(loops_.at(0), client_->ask({method, std::move(target), std::move(body)}, SteadyTime::max()))
        .value();
  }
  const std::string& prefix() const { return prefix_; }

 private:
  void remove(std::string target) {
    static_cast<void>(
        run_on_loop(loops_.at(0), client_->ask({http::Method::kDelete, std::move(target), {}}, SteadyTime::max())));
  }

  const std::string prefix_ = random_prefix();
  const Clock& clock_;
  SystemClock system_clock_;
  LoopTimer timer_;
  EventLoops loops_{1};
  std::optional<opensearch::Client> client_;
  std::optional<OpenSearchIndex> index_;
};

std::unique_ptr<IndexUnderTest> make_engine_index(const Clock& clock) {
  return std::make_unique<EngineUnderTest>(clock);
}

std::vector<MakeIndex> where_there_is_an_engine() {
  if (!engine_url()) return {};
  return {make_engine_index};
}

INSTANTIATE_TEST_SUITE_P(OpenSearch, SearchIndexContract, ::testing::ValuesIn(where_there_is_an_engine()));
INSTANTIATE_TEST_SUITE_P(OpenSearch, DirectoryContract, ::testing::ValuesIn(where_there_is_an_engine()));

TEST(OpenSearchEngine, IsNamedByTheEnvironment) {
  if (!engine_url()) GTEST_SKIP() << "PARLEY_TEST_OPENSEARCH_URL names no engine: the contract was not run over one";
}

}  // namespace
}  // namespace parley::search::testing
