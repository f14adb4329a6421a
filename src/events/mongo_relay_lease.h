// MongoRelayLease: the relay's lease where several processes share a log in MongoDB: a document "relay" beside the
// log's numbers (drivers/mongo/lease.h). Another process takes over within 6 s of a holder that died.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "drivers/mongo/lease.h"
#include "drivers/mongo/reader_pool.h"
#include "events/mongo_events.h"
#include "events/relay_lease.h"

namespace parley::events {

class MongoRelayLease final : public RelayLease {
 public:
  // `readers` and `clock` must outlive the lease. `holder` is of this process alone.
  MongoRelayLease(mongo::ReaderPool& readers, const MongoEventCollections& collections, std::string holder,
                  const Clock& clock);

  Task<Result<std::optional<FencingToken>>> hold(SteadyTime deadline) override;
  std::chrono::milliseconds renew_every() const override;
  Task<Result<>> release(SteadyTime deadline) override;

 private:
  // A call whose deadline has passed may still be at it on a reader's thread, also when this is gone.
  struct Shared {
    std::mutex mutex;
    mongo::Lease lease;
  };

  mongo::ReaderPool& readers_;
  const Clock& clock_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace parley::events
