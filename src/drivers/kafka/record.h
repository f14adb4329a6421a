// Records as they go to and come from a topic. Plain values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace parley::kafka {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct OutRecord {
  std::string topic;
  std::optional<std::int32_t> partition;  // none: by the key, as Java's clients do
  std::optional<std::string> key;
  std::string value;
  Headers headers;
};

struct InRecord {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::string> key;
  std::string value;
  Headers headers;
};

// Where a reader is in a partition: `offset` is the next record's.
struct Place {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  auto operator<=>(const Place&) const = default;
};

}  // namespace parley::kafka
