#include "search/stores/opensearch_cluster.h"

#include "base/text.h"
#include "telemetry/log.h"

namespace parley::search {

namespace {

using http::Method;
using opensearch::Answer;

constexpr std::size_t kFetchedAtOnce = 1000;

std::unexpected<Error> unusable_answer() {
  return unavailable("unavailable", "The search index gave an answer that cannot be understood; try again shortly.");
}
std::unexpected<Error> not_there() {
  return unavailable("unavailable", "The search index is being made; try again shortly.");
}

json::object wanted_json(const WantedDocument& wanted) {
  json::object made{{"_index", wanted.index}, {"_id", wanted.id}};
  if (!wanted.route.empty()) made["routing"] = wanted.route;
  if (!wanted.fields.empty()) made["_source"] = to_array(wanted.fields);
  return made;
}

std::string with_route(const std::string& target, const TenantId& tenant) {
  return target + "?routing=" + percent_encode(tenant.value);
}

}  // namespace

Task<Result<>> OpenSearchCluster::prepare(SteadyTime deadline) {
  if (prepared_.load(std::memory_order_acquire)) co_return Result<>{};
  for (const IndexTemplate& each : index_templates(names, shards_)) {
    if (auto made = co_await make(each, deadline); !made) co_return made;
  }
  {
    const std::lock_guard lock(mutex_);
    shown_ = {};
  }
  prepared_.store(true, std::memory_order_release);
  co_return Result<>{};
}

// Several processes may do this at once; each finds what the others made.
Task<Result<>> OpenSearchCluster::make(const IndexTemplate& made, SteadyTime deadline) {
  const auto put = [&](std::string target, std::string body) {
    return client_.ask({Method::kPut, std::move(target), std::move(body)}, deadline);
  };
  if (auto answer = co_await put("/_index_template/" + made.alias, made.template_body()); !answer) {
    co_return fail(std::move(answer.error()));
  }
  auto present = co_await client_.ask({Method::kGet, "/_alias/" + made.alias, {}}, deadline);
  if (!present) co_return fail(std::move(present.error()));
  if (present->ok()) {  // what is new in this version of ours
    auto answer = co_await put("/" + made.alias + "/_mapping", json::serialize(made.mappings));
    if (!answer) co_return fail(std::move(answer.error()));
    co_return Result<>{};
  }
  auto answer = co_await put("/" + made.first_index(), made.index_body());
  if (answer) {
    log_info("search: an index was made", {{"index", made.first_index()}});
    co_return Result<>{};
  }
  present = co_await client_.ask({Method::kGet, "/_alias/" + made.alias, {}}, deadline);
  if (present && present->ok()) co_return Result<>{};
  co_return fail(std::move(answer.error()));
}

Task<Result<Answer>> OpenSearchCluster::ask(Method method, std::string target, std::string body, SteadyTime deadline) {
  if (auto ready = co_await prepare(deadline); !ready) co_return fail(std::move(ready.error()));
  auto answer = co_await client_.ask({method, std::move(target), std::move(body)}, deadline);
  if (answer && answer->status == 404 && opensearch::error_type(answer->body) == "index_not_found_exception") {
    prepared_.store(false, std::memory_order_release);
    co_return not_there();
  }
  co_return answer;
}

Result<json::object> OpenSearchCluster::body_of(Result<Answer> answer) {
  if (!answer) return fail(std::move(answer.error()));
  if (!answer->ok() || !answer->body.is_object()) return unusable_answer();
  // Some shards may have failed or run out of time, and then not all is there.
  const json::object& body = answer->body.get_object();
  if (flag_in(body, "timed_out") || integer_in(object_in(body, "_shards"), "failed") > 0) return unusable_answer();
  return std::move(answer->body.get_object());
}

Task<Result<json::object>> OpenSearchCluster::search(const std::string& index, const TenantId& tenant,
                                                     json::object body, SteadyTime deadline) {
  co_return body_of(
      co_await ask(Method::kPost, with_route("/" + index + "/_search", tenant), json::serialize(body), deadline));
}

Task<Result<json::object>> OpenSearchCluster::search_state(json::object body, SteadyTime deadline) {
  if (auto fresh = co_await refresh(names.state, deadline); !fresh) co_return fail(std::move(fresh.error()));
  co_return body_of(co_await ask(Method::kPost, "/" + names.state + "/_search", json::serialize(body), deadline));
}

Task<Result<std::vector<std::optional<StoredDocument>>>> OpenSearchCluster::fetch(std::vector<WantedDocument> wanted,
                                                                                  SteadyTime deadline) {
  std::vector<std::optional<StoredDocument>> found;
  found.reserve(wanted.size());
  for (std::size_t begin = 0; begin < wanted.size(); begin += kFetchedAtOnce) {
    const std::size_t end = std::min(begin + kFetchedAtOnce, wanted.size());
    json::array documents;
    for (std::size_t i = begin; i < end; ++i) documents.push_back(wanted_json(wanted[i]));
    auto answer =
        co_await ask(Method::kPost, "/_mget", json::serialize(json::object{{"docs", std::move(documents)}}), deadline);
    if (!answer) co_return fail(std::move(answer.error()));
    if (!answer->ok() || !answer->body.is_object()) co_return unusable_answer();
    json::value* const list = answer->body.get_object().if_contains("docs");
    if (!list || !list->is_array() || list->get_array().size() != end - begin) co_return unusable_answer();
    for (json::value& each : list->get_array()) {
      json::object* const document = each.if_object();
      if (!document) co_return unusable_answer();
      if (document->contains("error")) {
        if (opensearch::error_type(each) == "index_not_found_exception") prepared_ = false;
        co_return not_there();
      }
      if (!flag_in(*document, "found")) {
        found.emplace_back();
        continue;
      }
      StoredDocument& stored = found.emplace_back().emplace();
      stored.seen = {integer_in(*document, "_seq_no"), integer_in(*document, "_primary_term")};
      if (json::value* const source = document->if_contains("_source"); source && source->is_object()) {
        stored.source = std::move(source->get_object());
      }
    }
  }
  co_return found;
}

Task<Result<std::optional<StoredDocument>>> OpenSearchCluster::fetch_state(std::string id, SteadyTime deadline) {
  std::vector<WantedDocument> wanted;
  wanted.push_back({.index = names.state, .id = std::move(id), .route = {}, .fields = {}});
  auto found = co_await fetch(std::move(wanted), deadline);
  if (!found) co_return fail(std::move(found.error()));
  co_return std::move(found->front());
}

Task<Result<bool>> OpenSearchCluster::put_state(std::string id, json::object source, std::optional<SeenWrite> seen,
                                                SteadyTime deadline) {
  std::string target = "/" + names.state + (seen ? "/_doc/" : "/_create/") + percent_encode(id);
  if (seen) {
    target += "?if_seq_no=" + std::to_string(seen->seq_no) + "&if_primary_term=" + std::to_string(seen->primary_term);
  }
  auto answer = co_await ask(Method::kPut, std::move(target), json::serialize(source), deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  if (answer->status == 409) co_return false;
  if (!answer->ok()) co_return unusable_answer();
  co_return true;
}

Task<Result<OpenSearchCluster::Deleted>> OpenSearchCluster::delete_matching(const std::string& index,
                                                                            const TenantId& tenant, json::object query,
                                                                            std::size_t most, SteadyTime deadline) {
  // It deletes what a search finds.
  if (auto fresh = co_await refresh(index, deadline); !fresh) co_return fail(std::move(fresh.error()));
  std::string target = "/" + index + "/_delete_by_query?conflicts=proceed&refresh=true";
  if (!tenant.empty()) target += "&routing=" + percent_encode(tenant.value);
  if (most != SIZE_MAX) target += "&max_docs=" + std::to_string(most);
  auto answer = co_await ask(Method::kPost, std::move(target),
                             json::serialize(json::object{{"query", std::move(query)}}), deadline);
  // 409: all that it met changed meanwhile.
  if (!answer) co_return fail(std::move(answer.error()));
  if ((!answer->ok() && answer->status != 409) || !answer->body.is_object()) co_return unusable_answer();
  const json::object& body = answer->body.get_object();
  co_return Deleted{static_cast<std::size_t>(integer_in(body, "deleted")),
                    integer_in(body, "version_conflicts") > 0 || !array_in(body, "failures").empty()};
}

Task<Result<>> OpenSearchCluster::refresh(const std::string& indexes, SteadyTime deadline) {
  auto answer = co_await ask(Method::kPost, "/" + indexes + "/_refresh", {}, deadline);
  if (!answer) co_return fail(std::move(answer.error()));
  if (!answer->ok()) co_return unusable_answer();
  co_return Result<>{};
}

// One at a time: who comes while one runs may have written since it began, and looks again when it has ended.
Task<Result<>> OpenSearchCluster::refresh_to(std::int64_t stamp, SteadyTime deadline) {
  const std::uint64_t written = written_.load(std::memory_order_acquire);
  for (;;) {
    std::optional<OneShotFuture<Refreshed>> running;
    {
      const std::lock_guard lock(mutex_);
      if (shown_.written >= written && shown_.stamp >= stamp) co_return Result<>{};
      if (refreshing_) {
        auto [promise, future] = make_one_shot<Refreshed>(EventLoop::current());
        waiting_.push_back(std::move(promise));
        running.emplace(std::move(future));
      } else {
        refreshing_ = true;
      }
    }
    if (running) {
      if (auto ended = co_await running->wait(deadline); !ended) co_return fail(std::move(ended.error()));
      continue;
    }
    const Seen now{written_.load(std::memory_order_acquire), stamp};
    auto refreshed = co_await refresh(names.messages + "," + names.directory, deadline);
    std::vector<OneShotPromise<Refreshed>> woken;
    {
      const std::lock_guard lock(mutex_);
      refreshing_ = false;
      if (refreshed) shown_ = {std::max(shown_.written, now.written), std::max(shown_.stamp, now.stamp)};
      woken.swap(waiting_);
    }
    for (auto& promise : woken) promise.deliver(Refreshed{});
    co_return refreshed;
  }
}

std::vector<FoundDocument> hits_of(const json::object& answer) {
  std::vector<FoundDocument> found;
  for (const json::value& each : array_in(object_in(answer, "hits"), "hits")) {
    if (const json::object* const hit = each.if_object()) {
      found.push_back({&object_in(*hit, "_source"), &array_in(*hit, "sort")});
    }
  }
  return found;
}

FoundTotal total_of(const json::object& answer) {
  const json::object& total = object_in(object_in(answer, "hits"), "total");
  return {integer_in(total, "value"), text_in(total, "relation") == "eq"};
}

}  // namespace parley::search
