// UpstreamTelemetry: what an UpstreamObserver hears, as log lines and metrics. One per upstream, any thread.
//   parley_upstream_failures_total{upstream,reason}    parley_upstream_retries_total{upstream}
//   parley_upstream_retries_denied_total{upstream}     parley_upstream_turned_away_total{upstream}
//   parley_upstream_circuit_changes_total{upstream,to} parley_upstream_circuit_state{upstream} (0 closed, 1 open, 2
//   half-open)
#pragma once
#include <string>

#include "gateway/upstream_observer.h"
#include "telemetry/metrics.h"

namespace parley::gateway {

class UpstreamTelemetry final : public UpstreamObserver {
 public:
  UpstreamTelemetry(std::string upstream, Metrics& metrics);

  void on_failure(UpstreamFailure failure) override;
  void on_retry() override { retries_.Increment(); }
  void on_retry_not_afforded() override { retries_denied_.Increment(); }
  void on_turned_away() override { turned_away_.Increment(); }
  void on_breaker_change(const BreakerChange& change) override;

 private:
  const std::string upstream_;
  Counter& unavailable_;
  Counter& timeouts_;
  Counter& statuses_;
  Counter& retries_;
  Counter& retries_denied_;
  Counter& turned_away_;
  Counter& opened_;
  Counter& half_opened_;
  Counter& closed_;
  Gauge& state_;
};

}  // namespace parley::gateway
