#include "gateway/upstream_telemetry.h"

#include "telemetry/log.h"

namespace parley::gateway {

namespace {

Counter& failures(Metrics& metrics, const std::string& upstream, const char* reason) {
  return metrics.counter("parley_upstream_failures_total", "Attempts at an upstream that failed.",
                         {{"upstream", upstream}, {"reason", reason}});
}

Counter& changes(Metrics& metrics, const std::string& upstream, BreakerState to) {
  return metrics.counter("parley_upstream_circuit_changes_total", "Changes of the circuit breaker's state.",
                         {{"upstream", upstream}, {"to", std::string(to_string(to))}});
}

}  // namespace

UpstreamTelemetry::UpstreamTelemetry(std::string upstream, Metrics& metrics)
    : upstream_(std::move(upstream)),
      unavailable_(failures(metrics, upstream_, "unavailable")),
      timeouts_(failures(metrics, upstream_, "timeout")),
      statuses_(failures(metrics, upstream_, "status")),
      retries_(metrics.counter("parley_upstream_retries_total", "Requests sent to an upstream again.",
                               {{"upstream", upstream_}})),
      retries_denied_(metrics.counter("parley_upstream_retries_denied_total",
                                      "Retries that the retry budget did not afford.", {{"upstream", upstream_}})),
      turned_away_(metrics.counter("parley_upstream_turned_away_total",
                                   "Requests answered 503 while the circuit was open.", {{"upstream", upstream_}})),
      opened_(changes(metrics, upstream_, BreakerState::kOpen)),
      half_opened_(changes(metrics, upstream_, BreakerState::kHalfOpen)),
      closed_(changes(metrics, upstream_, BreakerState::kClosed)),
      state_(metrics.gauge("parley_upstream_circuit_state", "0 closed, 1 open, 2 half-open.",
                           {{"upstream", upstream_}})) {}

void UpstreamTelemetry::on_failure(UpstreamFailure failure) {
  switch (failure) {
    case UpstreamFailure::kUnavailable:
      return unavailable_.Increment();
    case UpstreamFailure::kTimeout:
      return timeouts_.Increment();
    case UpstreamFailure::kStatus:
      return statuses_.Increment();
  }
}

void UpstreamTelemetry::on_breaker_change(const BreakerChange& change) {
  (change.to == BreakerState::kOpen       ? opened_
   : change.to == BreakerState::kHalfOpen ? half_opened_
                                          : closed_)
      .Increment();
  state_.Set(static_cast<double>(change.to));
  log_at(change.to == BreakerState::kOpen ? LogLevel::kWarn : LogLevel::kInfo, "circuit changed",
         {{"upstream", upstream_},
          {"from", to_string(change.from)},
          {"to", to_string(change.to)},
          {"outcomes", change.outcomes},
          {"failures", change.failures}});
}

}  // namespace parley::gateway
