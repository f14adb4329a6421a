// What the two files of MongoTransfer share.
#pragma once
#include "drivers/mongo/database.h"
#include "events/mongo_events.h"
#include "messaging/transfer/store_transfer.h"

namespace parley::messaging::mongodb {

const events::MongoEventCollections& transfer_log();

}  // namespace parley::messaging::mongodb
