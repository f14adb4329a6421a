// What an event, or an object that the store was read for, means to the index. Pure; any thread. Events of other types
// than messaging's own mean nothing, so that a newer writer stops no older reader; one of a known type whose data is
// not as api/events says is a fault, told without a word of its content.
#pragma once
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <variant>

#include "base/result.h"
#include "events/event.h"
#include "search/search_index.h"

namespace parley::search {

// None: nothing to index. fail: invalid (event_unreadable), with the reason as detail.
Result<std::optional<IndexChange>> change_of_event(const events::Event& event);

DeadLetter dead_letter(const events::Event& event, std::string reason);

// Of an object as messaging answers it; what is wrong with it, otherwise. A message's tombstone is a removal.
using StoredMessage = std::variant<MessageWritten, MessageRemoved>;
std::expected<StoredMessage, std::string> stored_message(const boost::json::object& message);
std::expected<ConversationWritten, std::string> stored_conversation(const boost::json::object& conversation);
std::expected<UserWritten, std::string> stored_user(const boost::json::object& user);

}  // namespace parley::search
