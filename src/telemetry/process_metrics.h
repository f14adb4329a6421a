// What the kernel knows of this process, read from /proc when somebody scrapes: memory, file descriptors, CPU seconds,
// start time, under the names that Prometheus' own clients use. Any thread. What cannot be read is left out.
#pragma once
#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace parley {

class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace parley
