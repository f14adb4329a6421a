// OpenSearchRows: what the index has of the documents that a batch touches, and what the batch makes of them. Rows are
// named first, then read all at once, then looked at and changed in memory, then written. Lives as long as one batch;
// used by one task.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "search/stores/opensearch_bulk.h"
#include "search/stores/opensearch_cluster.h"
#include "search/stores/opensearch_documents.h"

namespace parley::search {

class OpenSearchRows {
 public:
  struct Row {
    bool exists = false;
    std::int64_t number = -1;
    json::object source;  // of what exists; all of it only where that was wanted
    bool whole = false;
    // What the batch does to it.
    bool changed = false;
    bool or_equal = false;
    std::size_t changes = 0;  // that count for the outcome

    bool live() const { return exists && flag_in(source, "live"); }
    void put(std::int64_t to, json::object made) {
      or_equal = exists && number == to;
      exists = changed = whole = true;
      number = to;
      source = std::move(made);
    }
  };

  explicit OpenSearchRows(OpenSearchCluster& cluster) : cluster_(cluster) {}

  // `whole`: more of it than whether it is there, with which number and flags.
  void want(const std::string& index, const std::string& id, const TenantId& tenant, bool whole = false);
  Task<Result<>> read(SteadyTime deadline);
  // One that was wanted.
  Row& at(const std::string& id);
  // Writes what has changed. How many changes that counted were stale after all.
  Task<Result<std::size_t>> write(SteadyTime deadline);

 private:
  struct Place {
    std::string index;
    std::string route;
    bool whole = false;
    Row row;
  };

  OpenSearchCluster& cluster_;
  std::map<std::string, Place> places_;
};

}  // namespace parley::search
