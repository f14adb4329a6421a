// Whether two stores of messaging hold the same: everything is read from both and compared, with counts and a checksum
// for each conversation and for the whole. Meaningful while nobody writes to either. Blocks; one thread.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "messaging/transfer/canonical.h"
#include "messaging/transfer/store_transfer.h"

namespace parley::messaging::transfer {

struct StoreTotals {
  std::int64_t conversations = 0;
  std::int64_t members = 0;
  std::int64_t messages = 0;
  std::int64_t versions = 0;
  std::int64_t reactions = 0;
  std::int64_t users = 0;
  std::int64_t requests = 0;
  Checksum checksum;
  bool operator==(const StoreTotals&) const = default;
};

struct Comparison {
  StoreTotals source;
  StoreTotals target;
  std::vector<std::string> differences;  // the first kMaxDifferences, for the operator
  std::int64_t differing = 0;
  bool equal() const { return differing == 0 && source == target; }
};
inline constexpr std::size_t kMaxDifferences = 20;

// Called often; quick.
using CompareProgress = std::function<void(const StoreTotals&)>;

Result<Comparison> compare(StoreReader& source, StoreReader& target, const CompareProgress& progress);

}  // namespace parley::messaging::transfer
