// Events read back from CloudEvents 1.0 in JSON, as to_cloud_event_json() writes them. Pure; any thread. fail: invalid
// (record_unreadable), the detail names the attribute that is wrong. Attributes that it does not know are passed over.
#pragma once
#include <boost/json/object.hpp>

#include "base/result.h"
#include "events/event.h"

namespace parley::events {

// The offset, which is no attribute, stays 0.
Result<Event> from_cloud_event(const boost::json::object& json);

}  // namespace parley::events
