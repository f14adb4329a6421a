#include "events/mongo_relay_lease.h"

namespace parley::events {

namespace {

constexpr std::chrono::milliseconds kLapsesAfter{5'000};
constexpr std::chrono::milliseconds kRenewEvery{1'000};

struct Nothing {};

}  // namespace

MongoRelayLease::MongoRelayLease(mongo::ReaderPool& readers, const MongoEventCollections& collections,
                                 std::string holder, const Clock& clock)
    : readers_(readers),
      clock_(clock),
      shared_(new Shared{.lease = mongo::Lease(collections.log, "relay", std::move(holder), kLapsesAfter)}) {}

Task<Result<std::optional<FencingToken>>> MongoRelayLease::hold(SteadyTime deadline) {
  using Held = std::optional<FencingToken>;
  return readers_.look<Held>(deadline, [shared = shared_, &clock = clock_](mongo::Database& db) -> Result<Held> {
    const std::lock_guard lock(shared->mutex);
    const auto token = shared->lease.hold(db, clock.steady_now());
    return token ? Held(FencingToken{*token}) : Held();
  });
}

std::chrono::milliseconds MongoRelayLease::renew_every() const {
  return kRenewEvery;
}

Task<Result<>> MongoRelayLease::release(SteadyTime deadline) {
  auto done = co_await readers_.look<Nothing>(deadline, [shared = shared_](mongo::Database& db) -> Result<Nothing> {
    const std::lock_guard lock(shared->mutex);
    shared->lease.release(db);
    return Nothing{};
  });
  if (!done) co_return fail(std::move(done.error()));
  co_return Result<>();
}

}  // namespace parley::events
