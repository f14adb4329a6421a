#include "search/stores/opensearch_bulk.h"

#include <numeric>

#include "resilience/deadline.h"
#include "resilience/timer.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

constexpr std::size_t kMostWrites = 1000;
constexpr std::size_t kMostBytes = 4 * 1024 * 1024;
constexpr int kTries = 6;
constexpr std::chrono::milliseconds kFirstPause{50};

void append(std::string& body, const DocumentWrite& write) {
  json::object action{{"_index", write.index}, {"_id", write.id}};
  if (!write.route.empty()) action["routing"] = write.route;
  if (write.version) {
    action["version"] = *write.version;
    action["version_type"] = write.or_equal ? "external_gte" : "external";
  }
  body += json::serialize(json::object{{"index", std::move(action)}});
  body += '\n';
  body += write.source;
  body += '\n';
}

class Bulk {
 public:
  Bulk(OpenSearchCluster& cluster, std::vector<DocumentWrite> writes)
      : cluster_(cluster), writes_(std::move(writes)), written_(writes_.size(), false), left_(writes_.size()) {
    std::iota(left_.begin(), left_.end(), std::size_t{0});
  }

  Task<Result<std::vector<bool>>> run(SteadyTime deadline) {
    std::chrono::milliseconds pause = kFirstPause;
    for (int tried = 0; !left_.empty(); ++tried) {
      if (tried > 0) {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (tried == kTries || remaining(now, deadline) <= pause) co_return busy();
        co_await LoopTimer().wait_until(now + pause);
        pause *= 2;
      }
      if (auto sent = co_await send_all(deadline); !sent) co_return fail(std::move(sent.error()));
    }
    if (refused_) co_return fail(std::move(*refused_));
    co_return std::move(written_);
  }

 private:
  // Sends what is left, in parts; leaves what is to be sent again.
  Task<Result<>> send_all(SteadyTime deadline) {
    std::vector<std::size_t> again;
    for (std::size_t begin = 0; begin < left_.size();) {
      std::string body;
      std::size_t end = begin;
      while (end < left_.size() && end - begin < kMostWrites && body.size() < kMostBytes) {
        append(body, writes_[left_[end++]]);
      }
      auto answer = co_await cluster_.ask(http::Method::kPost, "/_bulk?require_alias=true", std::move(body), deadline);
      cluster_.note_write();
      if (!answer) co_return fail(std::move(answer.error()));
      const json::object* const whole = answer->body.if_object();
      const json::array& items = whole ? array_in(*whole, "items") : json::array();
      if (!answer->ok() || items.size() != end - begin) {
        co_return unavailable("unavailable", "The search index gave an answer that cannot be understood.");
      }
      for (std::size_t i = 0; i < items.size(); ++i) {
        const json::object* const item = items[i].if_object();
        if (auto taken = take(left_[begin + i], item ? object_in(*item, "index") : json::object(), again); !taken) {
          co_return taken;
        }
      }
      begin = end;
    }
    left_ = std::move(again);
    co_return Result<>{};
  }

  Result<> take(std::size_t write, const json::object& item, std::vector<std::size_t>& again) {
    const std::int64_t status = integer_in(item, "status");
    if (status >= 200 && status < 300) {
      written_[write] = true;
      return {};
    }
    if (status == 409) return {};
    const json::value whole(item);
    const std::string type(opensearch::error_type(whole));
    if (opensearch::says_storage_full(whole)) {
      return fail(ErrorKind::kNoRoom, "storage_full", "The search index has no room left.");
    }
    if (status == 429 || status == 0 || status >= 500) {
      again.push_back(write);
      return {};
    }
    log_warn("the search index refuses a document", {{"status", status}, {"type", type}});
    if (status == 404 || status == 403) {  // the index itself
      return unavailable("unavailable", "The search index takes no documents at the moment; try again shortly.");
    }
    // The others are not to wait for it.
    refused_ = Error{ErrorKind::kInvalid, "refused", "The search index does not take it: " + type, {}, {}};
    return {};
  }

  static std::unexpected<Error> busy() {
    return unavailable("overloaded", "The search index has more work than it can take; try again shortly.");
  }

  OpenSearchCluster& cluster_;
  std::vector<DocumentWrite> writes_;
  std::vector<bool> written_;
  std::vector<std::size_t> left_;
  std::optional<Error> refused_;
};

}  // namespace

Task<Result<std::vector<bool>>> write_documents(OpenSearchCluster& cluster, std::vector<DocumentWrite> writes,
                                                SteadyTime deadline) {
  Bulk bulk(cluster, std::move(writes));
  co_return co_await bulk.run(deadline);
}

}  // namespace parley::search
