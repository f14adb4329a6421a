// The data of message events, made when the log is read: from the message's row, or from the version that an edit has
// replaced since. Of a message that is deleted by then, or in a conversation that is, nothing of what it said is left.
#pragma once
#include <string>

#include "events/sqlite_event_log.h"

namespace parley::messaging {

std::string resolve_message_event(sqlite::Connection& db, const events::Event& event, events::EventReference reference);

}  // namespace parley::messaging
