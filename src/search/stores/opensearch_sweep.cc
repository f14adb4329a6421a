#include "search/stores/opensearch_sweep.h"

#include <algorithm>

#include "search/stores/opensearch_query.h"
#include "search/stores/opensearch_tenants.h"

namespace parley::search {

namespace {

constexpr std::size_t kTenantsAtOnce = 10;

class Sweep {
 public:
  Sweep(OpenSearchCluster& cluster, std::size_t limit) : cluster_(cluster), left_(limit) {}

  Task<Result<bool>> run(SteadyTime deadline) {
    auto tenants = co_await find_tenants(cluster_, "trash", kTenantsAtOnce, std::nullopt, deadline);
    if (!tenants) co_return fail(std::move(tenants.error()));
    for (const TenantState& state : *tenants) {
      if (auto swept = co_await sweep_tenant(state, deadline); !swept) co_return fail(std::move(swept.error()));
      if (left_ == 0) co_return true;
    }
    co_return unfinished_ || tenants->size() == kTenantsAtOnce;
  }

 private:
  // What is left of one kind of trash: none is true.
  Task<Result<bool>> clear(const std::string& index, const TenantId& tenant, json::array filter, SteadyTime deadline) {
    if (left_ == 0) co_return false;
    auto deleted = co_await cluster_.delete_matching(index, tenant, bool_filter(std::move(filter)), left_, deadline);
    if (!deleted) co_return fail(std::move(deleted.error()));
    const bool all = deleted->count < left_ && !deleted->missed_some;
    left_ -= std::min(left_, deleted->count);
    unfinished_ |= !all;
    co_return all;
  }

  Task<Result<>> sweep_tenant(const TenantState& state, SteadyTime deadline) {
    for (const std::int64_t generation : state.dropped) {
      for (const std::string& index : {cluster_.names.messages, cluster_.names.directory}) {
        auto all = co_await clear(index, state.tenant, generation_filter(state.tenant, generation), deadline);
        if (!all) co_return fail(std::move(all.error()));
        if (!*all) co_return Result<>{};
      }
      const auto done = [&](TenantState& now) -> Result<> {
        std::erase(now.dropped, generation);
        std::erase(now.told, generation);
        std::erase_if(now.erased, [&](const auto& each) { return each.generation == generation; });
        return {};
      };
      if (auto noted = co_await note(state.tenant, done, deadline); !noted) co_return noted;
    }
    for (const TenantState::Erasure& erasure : state.erased) {
      json::array filter = generation_filter(state.tenant, erasure.generation);
      filter.push_back(term_filter("conversation", erasure.conversation.value));
      filter.push_back(range_filter("number", {{"lte", erasure.number}}));
      auto all = co_await clear(cluster_.names.messages, state.tenant, std::move(filter), deadline);
      if (!all) co_return fail(std::move(all.error()));
      if (!*all) co_return Result<>{};
      const auto done = [&](TenantState& now) -> Result<> {
        std::erase(now.erased, erasure);
        return {};
      };
      if (auto noted = co_await note(state.tenant, done, deadline); !noted) co_return noted;
    }
    for (const std::int64_t generation : state.told) {
      json::array filter = generation_filter(state.tenant, generation);
      filter.push_back(term_filter("told", true));
      auto all = co_await clear(cluster_.names.messages, state.tenant, std::move(filter), deadline);
      if (!all) co_return fail(std::move(all.error()));
      if (!*all) co_return Result<>{};
      const auto done = [&](TenantState& now) -> Result<> {
        std::erase(now.told, generation);
        return {};
      };
      if (auto noted = co_await note(state.tenant, done, deadline); !noted) co_return noted;
    }
    co_return Result<>{};
  }

  Task<Result<>> note(TenantId tenant, TenantChange done, SteadyTime deadline) {
    auto changed = co_await change_tenant(cluster_, std::move(tenant), true, std::move(done), deadline);
    if (!changed) co_return fail(std::move(changed.error()));
    co_return Result<>{};
  }

  OpenSearchCluster& cluster_;
  std::size_t left_;
  bool unfinished_ = false;
};

}  // namespace

Task<Result<bool>> sweep_dropped(OpenSearchCluster& cluster, std::size_t limit, SteadyTime deadline) {
  Sweep sweep(cluster, limit);
  co_return co_await sweep.run(deadline);
}

}  // namespace parley::search
