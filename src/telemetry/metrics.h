// Metrics of the process, in Prometheus' terms. One Metrics per process, made by main, passed by reference; roles tell
// their series apart by the label `role`. Any thread. Series are handed out as references that live as long as the
// Metrics: fetch once, keep, never look up on a hot path.
#pragma once
#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace parley {

using Counter = prometheus::Counter;      // Increment(): one atomic
using Gauge = prometheus::Gauge;          // Set(), Increment(), Decrement(): one atomic
using Histogram = prometheus::Histogram;  // Observe(): takes a mutex; not for each request (see request_metrics.h)
using MetricLabels = prometheus::Labels;  // {{"role", "gateway"}}

// Upper bounds in seconds: 0.5 ms to 10 s.
std::span<const double> latency_buckets();

class Metrics {
 public:
  Metrics();
  ~Metrics();

  // Names as Prometheus wants them: parley_…_total, …_seconds, …_bytes. The same name and labels give the same series.
  // CHECK-fails on a name that is no metric name or that is already of another kind.
  Counter& counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const MetricLabels& labels = {},
                       std::span<const double> buckets = latency_buckets());

  // What is asked only when somebody looks: `read` is called by the scraping thread, while the Scraped lives.
  class [[nodiscard]] Scraped {
   public:
    Scraped() = default;
    Scraped(Scraped&&) = default;
    Scraped& operator=(Scraped&&) = default;

   private:
    friend class Metrics;
    explicit Scraped(std::shared_ptr<prometheus::Collectable> source) : source_(std::move(source)) {}
    std::shared_ptr<prometheus::Collectable> source_;
  };
  Scraped gauge_from(const std::string& name, const std::string& help, const MetricLabels& labels,
                     std::function<double()> read);
  Scraped counter_from(const std::string& name, const std::string& help, const MetricLabels& labels,
                       std::function<double()> read);
  // Any other source of families, for as long as it lives.
  void add(std::weak_ptr<prometheus::Collectable> source);

  // The answer to GET /metrics, text exposition format 0.0.4. Takes milliseconds at most; allocates.
  std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  prometheus::Registry registry_;
  const std::shared_ptr<prometheus::Collectable> process_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<prometheus::Collectable>> sources_;
};

}  // namespace parley
