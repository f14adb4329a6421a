#include "telemetry/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <stdexcept>

#include "base/check.h"
#include "telemetry/process_metrics.h"

namespace parley {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::array kLatencyBuckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                     0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};

bool is_name(std::string_view name) {
  for (const char c : name) {
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9');
}

// prometheus-cpp throws on a name of another kind; that is our own bug.
template <class Builder>
auto& register_family(Builder builder, prometheus::Registry& registry, const std::string& name,
                      const std::string& help) {
  CHECK(is_name(name));
  auto* family = [&]() -> decltype(&builder.Register(registry)) {
    try {
      return &builder.Name(name).Help(help).Register(registry);
    } catch (const std::invalid_argument&) {
      return nullptr;
    }
  }();
  CHECK(family != nullptr);
  return *family;
}

class ScrapedValue final : public prometheus::Collectable {
 public:
  ScrapedValue(MetricFamily family, std::function<double()> read)
      : family_(std::move(family)), read_(std::move(read)) {}

  std::vector<MetricFamily> Collect() const override {
    MetricFamily family = family_;
    const double value = read_();
    (family.type == MetricType::Counter ? family.metric[0].counter.value : family.metric[0].gauge.value) = value;
    return {std::move(family)};
  }

 private:
  const MetricFamily family_;
  const std::function<double()> read_;
};

std::shared_ptr<prometheus::Collectable> scraped(const std::string& name, const std::string& help, MetricType type,
                                                 const MetricLabels& labels, std::function<double()> read) {
  CHECK(is_name(name));
  MetricFamily family{name, help, type, std::vector<prometheus::ClientMetric>(1)};
  for (const auto& [label, value] : labels) family.metric[0].label.push_back({label, value});
  return std::make_shared<ScrapedValue>(std::move(family), std::move(read));
}

}  // namespace

std::span<const double> latency_buckets() {
  return kLatencyBuckets;
}

Metrics::Metrics() : process_(std::make_shared<ProcessMetrics>()) {
  add(process_);
}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  return register_family(prometheus::BuildCounter(), registry_, name, help).Add(labels);
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  return register_family(prometheus::BuildGauge(), registry_, name, help).Add(labels);
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, const MetricLabels& labels,
                              std::span<const double> buckets) {
  return register_family(prometheus::BuildHistogram(), registry_, name, help)
      .Add(labels, std::vector(buckets.begin(), buckets.end()));
}

Metrics::Scraped Metrics::gauge_from(const std::string& name, const std::string& help, const MetricLabels& labels,
                                     std::function<double()> read) {
  Scraped value(scraped(name, help, MetricType::Gauge, labels, std::move(read)));
  add(value.source_);
  return value;
}

Metrics::Scraped Metrics::counter_from(const std::string& name, const std::string& help, const MetricLabels& labels,
                                       std::function<double()> read) {
  Scraped value(scraped(name, help, MetricType::Counter, labels, std::move(read)));
  add(value.source_);
  return value;
}

void Metrics::add(std::weak_ptr<prometheus::Collectable> source) {
  const std::lock_guard lock(mutex_);
  std::erase_if(sources_, [](const auto& old) { return old.expired(); });
  sources_.push_back(std::move(source));
}

std::string Metrics::text() const {
  std::vector<std::weak_ptr<prometheus::Collectable>> sources;
  {
    const std::lock_guard lock(mutex_);
    sources = sources_;
  }
  // Several roles give series of one name; the format wants them together.
  std::map<std::string, MetricFamily> by_name;
  const auto merge = [&](std::vector<MetricFamily> families) {
    for (MetricFamily& family : families) {
      if (family.metric.empty()) continue;
      auto [place, is_new] = by_name.try_emplace(family.name, std::move(family));
      if (!is_new) std::ranges::move(family.metric, std::back_inserter(place->second.metric));
    }
  };
  merge(registry_.Collect());
  for (const auto& weak : sources) {
    if (const auto source = weak.lock()) merge(source->Collect());
  }
  std::vector<MetricFamily> families;
  families.reserve(by_name.size());
  for (auto& [name, family] : by_name) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace parley
