// The data of message events, which the log holds by reference, from what the store holds at the moment of reading.
#pragma once
#include "events/mongo_event_log.h"

namespace parley::messaging::mongodb {

void resolve_message_events(mongo::Database& db, std::vector<events::MongoEventLog::Referring>& events);

}  // namespace parley::messaging::mongodb
